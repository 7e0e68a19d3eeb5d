#include "milter/decide/sender.h"

#include <string.h>

#include "milter/decide/session_facts.h"

/* What login and certificate say together. */
enum identity {
    IDENTITY_NONE,
    IDENTITY_PERSON,
    IDENTITY_REFUSED,
    IDENTITY_UNAVAILABLE,
    IDENTITY_UNDETERMINED
};

struct identified {
    enum identity identity;
    const struct person *person; /* as far as one is known */
    enum reason_id reason;       /* REFUSED */
};

/* An entry that is no person cannot log in: as absent. */
static struct person_answer only_people(struct person_answer answer)
{
    if (answer.state == ANSWER_FOUND && answer.person->kind != PERSON_PERSON)
        return (struct person_answer){.state = ANSWER_ABSENT};
    return answer;
}

static struct person_answer ask_login(const struct inputs *inputs, const char *login)
{
    struct person_answer answer = only_people(directory_query_answer(inputs->people, ASK_LOGIN, login));
    g_autofree char *account =
        answer.state == ANSWER_ABSENT ? session_account(inputs->snapshot->zones, login) : NULL;

    if (account != NULL)
        answer = only_people(directory_query_answer(inputs->people, ASK_LOGIN, account));
    return answer;
}

static struct identified by_certificate(const struct inputs *inputs, const char *name)
{
    struct person_answer answer = only_people(directory_query_answer(inputs->people, ASK_CERTIFICATE, name));

    switch (answer.state) {
    case ANSWER_FOUND:
        return (struct identified){.identity = IDENTITY_PERSON, .person = answer.person};
    case ANSWER_AMBIGUOUS:
        return (struct identified){.identity = IDENTITY_REFUSED, .reason = REASON_PERSON_AMBIGUOUS};
    case ANSWER_UNAVAILABLE:
        return (struct identified){.identity = IDENTITY_UNDETERMINED};
    case ANSWER_ABSENT: /* a peer's, or that of a host */
        break;
    }
    return (struct identified){.identity = IDENTITY_NONE};
}

static struct identified by_login(const struct inputs *inputs, const char *login)
{
    struct person_answer answer = ask_login(inputs, login);

    switch (answer.state) {
    case ANSWER_FOUND:
        return (struct identified){.identity = IDENTITY_PERSON, .person = answer.person};
    case ANSWER_AMBIGUOUS:
        return (struct identified){.identity = IDENTITY_REFUSED, .reason = REASON_PERSON_AMBIGUOUS};
    case ANSWER_UNAVAILABLE:
        return (struct identified){.identity = IDENTITY_UNAVAILABLE};
    case ANSWER_ABSENT:
        break;
    }
    return (struct identified){.identity = IDENTITY_REFUSED, .reason = REASON_LOGIN_UNKNOWN};
}

/* Both: they must name one person, and no answer of one makes up for the other. */
static struct identified join(struct identified login, struct identified certificate)
{
    if (login.identity == IDENTITY_REFUSED || certificate.identity == IDENTITY_NONE)
        return login;
    if (certificate.identity == IDENTITY_REFUSED)
        return certificate;
    if (login.identity == IDENTITY_PERSON && certificate.identity == IDENTITY_PERSON &&
        strcmp(login.person->id, certificate.person->id) != 0)
        return (struct identified){.identity = IDENTITY_REFUSED, .reason = REASON_PERSON_AMBIGUOUS};
    if (certificate.identity == IDENTITY_UNDETERMINED)
        login.identity = IDENTITY_UNAVAILABLE;
    return login;
}

static struct identified by_session(const struct inputs *inputs)
{
    const struct policy *policy = inputs->snapshot->policy;
    const char *login = session_login(policy, inputs->session);
    const char *name = session_certificate(policy, inputs->session);
    struct identified certificate = {.identity = IDENTITY_NONE};

    if (name != NULL)
        certificate = by_certificate(inputs, name);
    return login != NULL ? join(by_login(inputs, login), certificate) : certificate;
}

/* No login of the vouching host: one of the devices that send through it, or nobody. */
static struct identified vouched_stranger(const struct inputs *inputs)
{
    if (session_device(inputs->snapshot->policy, inputs->session, inputs->envelope) != NULL)
        return (struct identified){.identity = IDENTITY_NONE};
    return (struct identified){.identity = IDENTITY_REFUSED, .reason = REASON_LOGIN_UNKNOWN};
}

/* A host that binds MAIL FROM to its own logins: MAIL FROM is the login. */
static struct identified by_vouching(const struct inputs *inputs)
{
    const struct address *sender = inputs->envelope->sender;
    const struct zones *zones = inputs->snapshot->zones;
    struct person_answer answer;

    if (sender->form == ADDRESS_NULL || !session_vouches(zones, inputs->session))
        return (struct identified){.identity = IDENTITY_NONE};
    if (sender->form == ADDRESS_STRANGE || !zones_is_inside(zones, sender->domain))
        return vouched_stranger(inputs);
    answer = only_people(inputs_person(inputs, sender));
    switch (answer.state) {
    case ANSWER_FOUND:
        return (struct identified){.identity = IDENTITY_PERSON, .person = answer.person};
    case ANSWER_AMBIGUOUS:
        return (struct identified){.identity = IDENTITY_REFUSED, .reason = REASON_PERSON_AMBIGUOUS};
    case ANSWER_UNAVAILABLE:
        return (struct identified){.identity = IDENTITY_UNAVAILABLE};
    case ANSWER_ABSENT:
        break;
    }
    return vouched_stranger(inputs);
}

static gboolean is_peer(const struct inputs *inputs, const struct zone *zone)
{
    const struct address *sender = inputs->envelope->sender;
    gboolean proven = (zone->certificates != NULL && inputs->session->cert_subject != NULL) ||
                      networks_contain(zone->peers, inputs->session->client);

    if (!proven || zone->recipients == NULL || sender->form != ADDRESS_PLAIN)
        return FALSE;
    for (guint i = 0; i < zone->recipients->len; i++)
        if (domain_matches(g_ptr_array_index(zone->recipients, i), sender->domain))
            return TRUE;
    return FALSE;
}

static void be_device(struct hearing *hearing, const struct device *device)
{
    struct decided_sender *sender = &hearing->decision->sender;

    sender->class = SENDER_DEVICE;
    hearing->device = device;
    if (device == NULL)
        return; /* what the local zone carries is the limit */
    sender->device_scheme = device->level != NULL ? device->scheme : hearing_home(hearing);
    sender->device_level = device->level != NULL ? device->level : scheme_lowest(hearing_home(hearing));
}

/* Nobody is logged in: a peer, a device, or somebody outside. */
static void be_without_login(struct hearing *hearing)
{
    const struct inputs *inputs = hearing->inputs;
    struct decided_sender *sender = &hearing->decision->sender;
    const struct device *device = session_device(inputs->snapshot->policy, inputs->session, inputs->envelope);

    if (is_peer(inputs, sender->zone)) {
        sender->class = SENDER_PEER;
        return;
    }
    if (device != NULL) {
        be_device(hearing, device);
        return;
    }
    sender->class = SENDER_OUTSIDE;
    if (sender->zone->inside && hearing->sender_doubt == SENDER_CLEAR) {
        hearing->sender_doubt = SENDER_REFUSED;
        hearing->sender_reason = REASON_LOGIN_REQUIRED;
    }
}

static void be_identified(struct hearing *hearing, const struct identified *who)
{
    struct decided_sender *sender = &hearing->decision->sender;

    sender->class = SENDER_PERSON;
    sender->person = sender->post = who->person;
    if (who->identity == IDENTITY_REFUSED) {
        hearing->sender_doubt = SENDER_REFUSED;
        hearing->sender_reason = who->reason;
    } else if (who->identity == IDENTITY_UNAVAILABLE) {
        hearing->sender_doubt = SENDER_UNAVAILABLE;
    }
}

static void choose_class(struct hearing *hearing)
{
    const struct inputs *inputs = hearing->inputs;
    struct identified who;

    if (session_is_local(inputs->session, inputs->envelope)) {
        be_device(hearing, NULL);
        return;
    }
    if (hearing->relayed) {
        hearing->decision->sender.class = SENDER_OUTSIDE;
        return;
    }
    who = by_session(inputs);
    if (who.identity == IDENTITY_NONE)
        who = by_vouching(inputs);
    if (who.identity == IDENTITY_UNDETERMINED)
        hearing->sender_doubt = SENDER_UNDETERMINED;
    if (who.identity == IDENTITY_NONE || who.identity == IDENTITY_UNDETERMINED)
        be_without_login(hearing);
    else
        be_identified(hearing, &who);
}

void sender_find(struct hearing *hearing)
{
    const struct inputs *inputs = hearing->inputs;
    struct decided_sender *sender = &hearing->decision->sender;
    const struct zones *zones = inputs->snapshot->zones;

    sender->zone = session_zone(zones, inputs->session, inputs->envelope);
    hearing->relayed = session_is_relay(zones, inputs->session);
    choose_class(hearing);
    sender->told = (sender->class == SENDER_PERSON || sender->class == SENDER_PEER) &&
                   inputs->envelope->sender->form != ADDRESS_NULL;
}

/* Who says so: the login, else the certificate (a host that vouches has neither for its people: MAIL FROM,
 * which follows, is the login); of others the zone of the client. */
static const char *source_of(const struct inputs *inputs, const struct decided_sender *sender)
{
    const struct policy *policy = inputs->snapshot->policy;
    const char *login = session_login(policy, inputs->session);

    if (sender->class != SENDER_PERSON)
        return sender->zone->name;
    if (login == NULL)
        login = session_certificate(policy, inputs->session);
    return login != NULL ? login : "";
}

char *inputs_identity(const struct inputs *inputs)
{
    struct decision scratch = {.sender = {.class = SENDER_OUTSIDE}};
    struct hearing hearing = {.inputs = inputs, .decision = &scratch, .doubt = -1};

    sender_find(&hearing);
    g_autofree char *source = g_strescape(source_of(inputs, &scratch.sender), NULL);
    return g_strdup_printf("%s\n%s\n%s", sender_class_name(scratch.sender.class), source,
                           inputs->envelope->sender->canonical);
}

#include "policy/person/address.h"

#include <idn2.h>
#include <string.h>

#include "policy/person/limits.h"
#include "policy/text/character.h"

/* Characters of an atom (RFC 5321 4.1.2 and 4.1.3, RFC 5322 3.2.3) but for % and !, by which old mailers
 * route. */
static gboolean is_atom(guchar c)
{
    return g_ascii_isalnum(c) || (c != '\0' && strchr("#$&'*+-/=?^_`{|}~", c) != NULL);
}

/* What can be seen and has one meaning: hidden characters make two addresses look like one. */
static gboolean is_visible(gunichar c)
{
    GUnicodeType type;

    if (c > ' ' && c < 0x7F)
        return TRUE;
    type = g_unichar_type(c);
    return type != G_UNICODE_CONTROL && type != G_UNICODE_FORMAT && type != G_UNICODE_UNASSIGNED &&
           type != G_UNICODE_PRIVATE_USE && type != G_UNICODE_SURROGATE && type != G_UNICODE_LINE_SEPARATOR &&
           type != G_UNICODE_PARAGRAPH_SEPARATOR && type != G_UNICODE_SPACE_SEPARATOR;
}

static gboolean is_all_visible(const char *text)
{
    if (!g_utf8_validate(text, -1, NULL))
        return FALSE;
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (!is_visible(g_utf8_get_char(p)))
            return FALSE;
    return TRUE;
}

static guint count_ascii(const char *text)
{
    guint count = 0;

    for (const char *p = text; *p != '\0'; p++)
        count += (guchar)*p < 0x80;
    return count;
}

/* Lower case without the locale (g_utf8_strdown knows Turkish), then NFC. Valid UTF-8 only. */
static char *utf8_lower(const char *text)
{
    g_autoptr(GString) lower = NULL;

    if (g_str_is_ascii(text))
        return g_ascii_strdown(text, -1);
    lower = g_string_sized_new(strlen(text));
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        g_string_append_unichar(lower, g_unichar_tolower(g_utf8_get_char(p)));
    return g_utf8_normalize(lower->str, -1, G_NORMALIZE_NFC);
}

/* A dot-string of visible characters that lower-casing leaves what it is: the Kelvin sign would become a k.
 */
static gboolean is_plain_local(const char *local, const char *lower)
{
    gsize length = strlen(local);

    if (length == 0 || local[0] == '.' || local[length - 1] == '.' || strstr(local, "..") != NULL)
        return FALSE;
    for (const char *p = local; *p != '\0'; p++)
        if ((guchar)*p < 0x80 && *p != '.' && !is_atom((guchar)*p))
            return FALSE;
    return is_all_visible(local) && count_ascii(lower) <= count_ascii(local);
}

/* RFC 1123 2.1 with underscores, which Postfix takes; a last label of digits is an address literal in
 * disguise. */
static gboolean is_host(const char *host)
{
    gsize label = 0;
    gboolean digits = TRUE;

    if (strlen(host) > DOMAIN_MAX_BYTES)
        return FALSE;
    for (const char *p = host;; p++) {
        if (*p == '.' || *p == '\0') {
            if (label == 0 || label > DOMAIN_LABEL_MAX_BYTES || p[-1] == '-')
                return FALSE;
            if (*p == '\0')
                return !digits;
            label = 0;
            digits = TRUE;
            continue;
        }
        if (!g_ascii_isalnum(*p) && *p != '_' && !(*p == '-' && label > 0))
            return FALSE;
        digits = digits && g_ascii_isdigit(*p);
        label++;
    }
}

/* The domain as a lower-case A-label; NULL if it is none. Maps as Postfix does (UTS 46, non-transitional). */
static char *host_canonical(const char *domain)
{
    g_autofree char *lower = NULL;

    if (count_ascii(domain) == strlen(domain)) {
        lower = g_ascii_strdown(domain, -1);
    } else {
        char *ascii = NULL;

        if (strlen(domain) > ADDRESS_MAX_BYTES || !is_all_visible(domain) ||
            idn2_to_ascii_8z(domain, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
            return NULL;
        lower = g_ascii_strdown(ascii, -1);
        idn2_free(ascii);
    }
    return is_host(lower) ? g_steal_pointer(&lower) : NULL;
}

char *domain_canonical(const char *domain)
{
    gboolean below = g_str_has_prefix(domain, "*.");
    g_autofree char *host = host_canonical(below ? domain + 2 : domain);

    if (host == NULL || !below)
        return g_steal_pointer(&host);
    return g_strconcat("*.", host, NULL);
}

/* The address between its brackets, new; NULL if only one of them is there. */
static char *without_brackets(const char *given)
{
    gsize length = strlen(given);
    gboolean opened = given[0] == '<', closed = length > 0 && given[length - 1] == '>';

    if (opened != closed || (opened && length < 2))
        return NULL;
    return opened ? g_strndup(given + 1, length - 2) : g_strdup(given);
}

/* What can be said of an address that is no plain one. Only for lists, zones and messages: the form tells
 * that it may not be trusted. */
static void guess_strange(struct address *address, const char *bare)
{
    const char *route = bare[0] == '@' ? strchr(bare, ':') : NULL;
    const char *mailbox = route != NULL ? route + 1 : bare;
    const char *at = strrchr(mailbox, '@');
    g_autofree char *local = at != NULL ? g_strndup(mailbox, (gsize)(at - mailbox)) : g_strdup(mailbox);
    g_autofree char *domain = g_strdup(at != NULL ? at + 1 : "");
    g_autofree char *host = NULL;
    gsize length = strlen(domain);

    if (length > 0 && domain[length - 1] == '.')
        domain[length - 1] = '\0';
    host = host_canonical(domain);
    g_autofree char *printable = address_printable(local);
    address->local = utf8_lower(printable);
    address->domain = host != NULL ? g_steal_pointer(&host) : address_printable(domain);
    if (at != NULL)
        address->canonical = g_strconcat(address->local, "@", address->domain, NULL);
    else
        address->canonical = address->local[0] != '\0' ? g_strdup(address->local) : address_printable(bare);
}

/* Fills local, domain and canonical and says TRUE if the address is a plain one. */
static gboolean read_plain(struct address *address, const char *bare)
{
    const char *at = strrchr(bare, '@');

    if (strlen(bare) > ADDRESS_MAX_BYTES || at == NULL || !g_utf8_validate(bare, -1, NULL))
        return FALSE;
    g_autofree char *local = g_strndup(bare, (gsize)(at - bare));
    g_autofree char *lower = utf8_lower(local);
    g_autofree char *host = host_canonical(at + 1);
    if (host == NULL || !is_plain_local(local, lower))
        return FALSE;
    address->canonical = g_strconcat(lower, "@", host, NULL);
    address->local = g_steal_pointer(&lower);
    address->domain = g_steal_pointer(&host);
    return TRUE;
}

struct address *address_parse(const char *given)
{
    struct address *address = g_new0(struct address, 1);
    g_autofree char *bare = NULL;

    address->given = g_strdup(given != NULL ? given : "");
    bare = without_brackets(address->given);
    if (bare != NULL && bare[0] == '\0') {
        address->form = ADDRESS_NULL;
        address->canonical = g_strdup("");
        address->local = g_strdup("");
        address->domain = g_strdup("");
        return address;
    }
    if (bare != NULL && read_plain(address, bare))
        return address;
    address->form = ADDRESS_STRANGE;
    guess_strange(address, bare != NULL ? bare : address->given);
    return address;
}

void address_free(struct address *address)
{
    if (address == NULL)
        return;
    g_free(address->given);
    g_free(address->canonical);
    g_free(address->local);
    g_free(address->domain);
    g_free(address);
}

/* Postfix splits none of these (split_addr(3)); an address that stays whole there must not be looked up in
 * pieces here. */
static gboolean is_never_split(const char *local, const char *delimiter)
{
    return strcmp(local, "postmaster") == 0 || strcmp(local, "mailer-daemon") == 0 ||
           strcmp(local, "double-bounce") == 0 ||
           (strchr(delimiter, '-') != NULL &&
            (g_str_has_prefix(local, "owner-") ||
             ((g_str_has_suffix(local, "-request") && strlen(local) > strlen("-request")))));
}

char *address_untagged(const struct address *address, const char *delimiter)
{
    gsize length;

    if (address->form != ADDRESS_PLAIN || delimiter == NULL || delimiter[0] == '\0' ||
        is_never_split(address->local, delimiter))
        return NULL;
    length = strcspn(address->local, delimiter);
    if (length == 0 || address->local[length] == '\0')
        return NULL;
    return g_strdup_printf("%.*s@%s", (int)length, address->local, address->domain);
}

gboolean domain_matches(const char *pattern, const char *domain)
{
    const char *at = strrchr(domain, '@');
    const char *host = at != NULL ? at + 1 : domain;
    gsize length = strlen(host), suffix;

    if (strchr(pattern, '@') != NULL)
        return strcmp(pattern, domain) == 0;
    if (!g_str_has_prefix(pattern, "*."))
        return strcmp(pattern, host) == 0;
    suffix = strlen(pattern) - 1;
    return length > suffix && strcmp(host + length - suffix, pattern + 1) == 0;
}

char *address_printable(const char *address)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (const char *p = address, *end = p + strlen(p); p < end;) {
        guint step;
        gunichar c = character_read(p, end, &step);

        if (out->len + step > ADDRESS_MAX_BYTES)
            break;
        if (c == CHARACTER_INVALID || (c != ' ' && !is_visible(c)))
            g_string_append_c(out, '?');
        else if (step == 1)
            g_string_append_c(out, *p);
        else
            g_string_append_len(out, p, (gssize)step);
        p += step;
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

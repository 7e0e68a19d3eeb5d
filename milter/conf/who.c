/* People in statements: an address, or the members of a group. */
#include "milter/conf/value.h"

#include "policy/person/address.h"
#include "policy/person/dn.h"

gboolean value_person(struct reader *reader, enum message_id what, GPtrArray *people)
{
    const struct item *item = reader_text(reader, what);

    if (item == NULL)
        return FALSE;
    g_autoptr(address) address = address_parse(item->text);
    if (address->form == ADDRESS_PLAIN) {
        g_ptr_array_add(people, who_new(WHO_ADDRESS, address->canonical));
        return TRUE;
    }
    reader_fail(reader, DIAG_ADDRESS, item->span, message_make(MSG_NOT_A_MAIL_ADDRESS, item->text, NULL));
    return FALSE;
}

gboolean value_members(struct reader *reader, GPtrArray *people)
{
    const struct item *item = reader_text(reader, MSG_A_GROUP_OF_PEOPLE);

    if (item == NULL)
        return FALSE;
    if (item->text[0] != '\0' && dn_is_valid(item->text)) {
        g_ptr_array_add(people, who_new(WHO_MEMBERS, item->text));
        return TRUE;
    }
    diagnostic_help(
        reader_fail(reader, DIAG_ADDRESS, item->span, message_make(MSG_NOT_A_GROUP, item->text, NULL)),
        message_make(MSG_NOT_A_GROUP_HELP, NULL));
    return FALSE;
}

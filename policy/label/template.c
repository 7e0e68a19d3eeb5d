#include "policy/label/template.h"

#include <string.h>

static void piece_free(gpointer data)
{
    struct template_piece *piece = data;
    g_free(piece->text);
    g_free(piece);
}

static void add_piece(GPtrArray *pieces, gboolean is_place, char *text)
{
    struct template_piece *piece = g_new(struct template_piece, 1);
    piece->is_place = is_place;
    piece->text = text;
    g_ptr_array_add(pieces, piece);
}

static void end_literal(GPtrArray *pieces, GString *literal)
{
    if (literal->len > 0)
        add_piece(pieces, FALSE, g_strdup(literal->str));
    g_string_truncate(literal, 0);
}

GPtrArray *template_parse(const char *text)
{
    GPtrArray *pieces = g_ptr_array_new_with_free_func(piece_free);
    GString *literal = g_string_new(NULL);
    for (const char *p = text; *p != '\0';) {
        if (*p != '{') {
            g_string_append_c(literal, *p++);
        } else if (p[1] == '{') {
            g_string_append_c(literal, '{');
            p += 2;
        } else {
            const char *close = strchr(p, '}');
            end_literal(pieces, literal);
            add_piece(pieces, TRUE, close != NULL ? g_strndup(p + 1, (gsize)(close - p - 1)) : NULL);
            p = close != NULL ? close + 1 : p + strlen(p);
        }
    }
    end_literal(pieces, literal);
    g_string_free(literal, TRUE);
    return pieces;
}

gboolean template_split(const char *text, char **before, char **after)
{
    g_autoptr(GPtrArray) pieces = template_parse(text);
    g_autoptr(GString) first = g_string_new(NULL);
    g_autoptr(GString) second = g_string_new(NULL);
    guint places = 0;
    for (guint i = 0; i < pieces->len; i++) {
        const struct template_piece *piece = g_ptr_array_index(pieces, i);
        if (piece->is_place)
            places++;
        else
            g_string_append(places == 0 ? first : second, piece->text);
    }
    if (places != 1)
        return FALSE;
    *before = g_strdup(first->str);
    *after = g_strdup(second->str);
    return TRUE;
}

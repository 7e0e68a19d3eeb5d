#include "milter/inspect/stream.h"

#include <errno.h>
#include <string.h>

typedef struct {
    GMimeStream parent;
    const char *fields, *body;
    gint64 fields_length, whole_length;
} PartStream;
typedef GMimeStreamClass PartStreamClass;

static GType part_stream_get_type(void);
G_DEFINE_TYPE(PartStream, part_stream, GMIME_TYPE_STREAM)

static gint64 end_of(const GMimeStream *stream)
{
    return stream->bound_end != -1 ? stream->bound_end : ((const PartStream *)stream)->whole_length;
}

static ssize_t read_some(GMimeStream *stream, char *to, size_t most)
{
    const PartStream *part = (const PartStream *)stream;
    gint64 left = end_of(stream) - stream->position;
    const char *from = part->body + (stream->position - part->fields_length);

    if (stream->position < part->fields_length) {
        left = MIN(left, part->fields_length - stream->position);
        from = part->fields + stream->position;
    }
    left = MIN(left, (gint64)most);
    if (left <= 0)
        return 0;
    memcpy(to, from, left);
    stream->position += left;
    return left;
}

static ssize_t write_nothing(GMimeStream *stream, const char *from, size_t length)
{
    errno = EBADF;
    return -1;
}

static int do_nothing(GMimeStream *stream)
{
    return 0;
}

static gboolean is_at_end(GMimeStream *stream)
{
    return stream->position >= end_of(stream);
}

static gint64 seek_to(GMimeStream *stream, gint64 offset, GMimeSeekWhence whence)
{
    gint64 base = whence == GMIME_STREAM_SEEK_SET   ? 0
                  : whence == GMIME_STREAM_SEEK_END ? end_of(stream)
                                                    : stream->position;

    if (base + offset < stream->bound_start || base + offset > end_of(stream)) {
        errno = EINVAL;
        return -1;
    }
    return stream->position = base + offset;
}

static gint64 tell(GMimeStream *stream)
{
    return stream->position;
}

static gint64 length_of(GMimeStream *stream)
{
    return end_of(stream) - stream->bound_start;
}

static GMimeStream *substream_of(GMimeStream *stream, gint64 start, gint64 end)
{
    const PartStream *whole = (const PartStream *)stream;
    PartStream *part = g_object_new(part_stream_get_type(), NULL);

    part->fields = whole->fields;
    part->fields_length = whole->fields_length;
    part->body = whole->body;
    part->whole_length = whole->whole_length;
    g_mime_stream_construct(&part->parent, start, end);
    return &part->parent;
}

static void part_stream_class_init(PartStreamClass *class)
{
    class->read = read_some;
    class->write = write_nothing;
    class->flush = do_nothing;
    class->close = do_nothing;
    class->reset = do_nothing;
    class->eos = is_at_end;
    class->seek = seek_to;
    class->tell = tell;
    class->length = length_of;
    class->substream = substream_of;
}

static void part_stream_init(PartStream *part)
{
}

GMimeStream *part_stream_new(const char *fields, gsize fields_length, const char *body, gsize body_length)
{
    PartStream *part = g_object_new(part_stream_get_type(), NULL);

    part->fields = fields;
    part->fields_length = fields_length;
    part->body = body;
    part->whole_length = fields_length + body_length;
    g_mime_stream_construct(&part->parent, 0, -1);
    return &part->parent;
}

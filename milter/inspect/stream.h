/*
 * stream: some fields and then a body as one GMime stream that can be read from anywhere, without copying
 * either. The offsets of a part's content in it lead back to the body. Both must outlive the stream and its
 * substreams. Read only.
 */
#ifndef MILTER_INSPECT_STREAM_H
#define MILTER_INSPECT_STREAM_H

#include <gmime/gmime.h>

GMimeStream *part_stream_new(const char *fields, gsize fields_length, const char *body, gsize body_length);

#endif

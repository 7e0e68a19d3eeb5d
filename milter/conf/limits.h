/* limits: between what bounds the numbers of miji.conf lie, on one screen. */
#ifndef MILTER_CONF_LIMITS_H
#define MILTER_CONF_LIMITS_H

#define KILOBYTE ((guint64)1024)
#define MEGABYTE (1024 * KILOBYTE)
#define GIGABYTE (1024 * MEGABYTE)

/* directory */
#define REFRESH_MIN_S 1
#define REFRESH_MAX_S 86400
#define ANSWER_MIN_S 1
#define ANSWER_MAX_S 10 /* language.md section 3 */
#define OUTAGE_MAX_S (7 * 86400)

/* limits */
#define MESSAGE_MIN_BYTES (1 * KILOBYTE)
#define MESSAGE_MAX_BYTES (2 * GIGABYTE)
#define TEXT_MIN_BYTES (1 * KILOBYTE)
#define TEXT_MAX_BYTES (1 * GIGABYTE)
#define UNPACKED_MAX_BYTES (64 * GIGABYTE)
#define PARTS_MAX 100000
#define DEPTH_MAX 100
#define RECIPIENTS_MAX 50000
#define GROUP_DEPTH_MAX 100
#define GROUP_MEMBERS_MAX 1000000
#define TIME_MIN_S 1
#define TIME_MAX_S 600

/* sandbox */
#define HELPERS_MAX 256
#define MEMORY_MIN_BYTES (64 * MEGABYTE)
#define MEMORY_MAX_BYTES (64 * GIGABYTE)

/* rules, queues, archives */
#define APPROVALS_MAX 5
#define KEEP_MAX_S ((gint64)1000 * 365 * 86400)

/* log */
#define LIMIT_LOG_LINE 6000 /* octets of one log line */

#endif

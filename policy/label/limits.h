/* limits: what an outsider can make large in a marking, and what a scheme may say, on one screen. */
#ifndef POLICY_LABEL_LIMITS_H
#define POLICY_LABEL_LIMITS_H

#define EVENT_MAX_CHARACTERS 20        /* of the condition behind a sign (会议开始前) */
#define CLAIM_MAX_RAW_BYTES 4096       /* kept of what was read, for records */
#define CLAIM_MAX_QUOTED_CHARACTERS 40 /* of it in the sentence that says why it cannot be read */
#define LABEL_MAX_VALUES 64            /* category values of one marking; more cannot be read */

#define LABEL_RECORD_MOST_BYTES (1 << 20) /* of a record; what is longer is a label that is not known */

#define SCHEME_MAX_RANK 9999
#define SCHEME_MAX_NUMBER 256 /* RFC 2634, 3.2: ub-integer-options */
#define SCHEME_MAX_LINES 50
#define SIGN_MAX_CHARACTERS 8 /* between level and term */

#endif

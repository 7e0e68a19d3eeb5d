/* limits: what an outsider can make large in a marking, on one screen. */
#ifndef POLICY_LABEL_LIMITS_H
#define POLICY_LABEL_LIMITS_H

#define EVENT_MAX_CHARACTERS 20      /* of the condition behind a sign (会议开始前) */
#define CLAIM_MAX_RAW_BYTES 4096     /* kept of what was read, for records */
#define CLAIM_MAX_QUOTED_CHARACTERS 40 /* of it in the sentence that says why it cannot be read */
#define LABEL_MAX_VALUES 64          /* category values of one marking; more cannot be read */

#endif

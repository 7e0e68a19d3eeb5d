#ifndef POLICY_VERSION_H
#define POLICY_VERSION_H

/* The version that every program prints; raised with each release, see contrib/HISTORY. */
#define MIJI_VERSION "0.1.0"

#endif

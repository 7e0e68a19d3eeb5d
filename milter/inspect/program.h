/* program: where miji-inspect lies: beside the program that runs, or in the sbin beside its folder. */
#ifndef MILTER_INSPECT_PROGRAM_H
#define MILTER_INSPECT_PROGRAM_H

/* New string; a path that may not exist is told by whoever starts it. */
char *inspect_program(void);

#endif

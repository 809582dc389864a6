/* outfolder.h - a folder that appears under its name with all its files, or not at all.
 *
 *     if (outfolder_check(&kind, "DIR", force, &e) < 0)     before the work begins
 *     OutFolder *o = outfolder_new(&kind, "DIR", force, &e);
 *     write_it(outfolder_file(o, "config.json"));
 *     if (outfolder_commit(o, &e) < 0) ...
 *
 * It is filled beside its place. Where an old one is replaced, the two change places in one step
 * where the file system can; what lay in the old one besides files of ours is in the new one, and
 * modes are the old one's. A failure, or a signal (tidy.h), leaves the place as it was. */
#ifndef WEFT_OUTFOLDER_H
#define WEFT_OUTFOLDER_H

#include "base/err.h"

#include <stdbool.h>

enum { FOLDER_FILES = 32 }; /* that one can be given */

/* What may be replaced. */
typedef struct FolderKind {
    const char *maker;              /* the program, for messages */
    const char *const *own;         /* names of files that are replaced; NULL behind the last */
    bool (*is)(const char *folder); /* is that a folder of ours? */
} FolderKind;

typedef struct OutFolder OutFolder;

/* Could the folder be made, or replaced? */
int outfolder_check(const FolderKind *k, const char *folder, bool replace, Err *e);
OutFolder *outfolder_new(const FolderKind *k, const char *folder, bool replace, Err *e);
/* Where a file of it is to be written, by outfile.h or otherwise. */
const char *outfolder_file(OutFolder *o, const char *name);
/* Both release it. */
int outfolder_commit(OutFolder *o, Err *e);
void outfolder_abort(OutFolder *o); /* NULL is fine */

#endif

/* get - a model's files into the Hugging Face cache. */
#include "base/msg.h"
#include "base/opt.h"
#include "bin/programs.h"
#include "hub/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const Opt options[] = {{0}};

int main(int argc, char **argv)
{
    Args a = args_read(PROGRAM(get), options, NULL, argc, argv);
    if (!a.nfiles)
        die_usage("which model? Say NAME, ORG/NAME or ORG/NAME@REV");
    bool shown = a.common.progress || (isatty(STDERR_FILENO) && !a.common.quiet);
    int failed = 0;
    for (int i = 0; i < a.nfiles; i++) {
        Err e = {0};
        char *folder = fetch_model(a.files[i], shown, &e);
        if (folder)
            puts(folder);
        else
            msg_error("%s", e.text);
        failed |= !folder;
        free(folder);
    }
    if (fflush(stdout) != 0 || ferror(stdout))
        dief("standard output: %s", strerror(errno));
    return failed ? EXIT_DATA : 0;
}

/* outfile_test - files appear whole or not at all. */
#include "base/outfile.h"

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool holds(const char *path, const char *want)
{
    char got[64] = "";
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof got - 1);
    if (fd >= 0)
        close(fd);
    return n == (ssize_t)strlen(want) && memcmp(got, want, strlen(want)) == 0;
}

static int entries(void)
{
    int n = 0;
    DIR *d = opendir(".");
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void make(const char *path, const char *text)
{
    Err e = {0};
    OutFile *o = outfile_open(path, &e);
    CHECK(o && outfile_write(o, text, strlen(text), &e) == 0);
    CHECK(o && outfile_commit(o, &e) == 0);
    CHECK_TEXT(e.text, "");
}

/* Open, with these bytes in them. */
static void begin(OutFile **o, const char *const *path, int n)
{
    Err e = {0};
    for (int i = 0; i < n; i++) {
        o[i] = outfile_open(path[i], &e);
        CHECK(o[i] && outfile_write(o[i], "new", 3, &e) == 0);
    }
}

/* Files that belong together: all are there, or all are as they were. */
static void together(void)
{
    static const char *const path[] = {"p", "/dev/null", "q/r", "s"}, *const twice[] = {"p",
                                                                                        "q/../p"};
    OutFile *o[4];
    Err e = {0};
    CHECK(mkdir("q", 0777) == 0);
    make("p", "old");
    make("q/r", "old");
    begin(o, path, 4);
    CHECK(outfile_commit_all(o, 4, &e) == 0);
    CHECK(holds("p", "new") && holds("q/r", "new") && holds("s", "new"));
    make("p", "old");
    CHECK(unlink("s") == 0);
    begin(o, path, 4);
    CHECK(unlink("q/r") == 0 && rename("q", "gone") == 0 && mkdir("q", 0777) == 0);
    make("q/r", "old");
    CHECK(outfile_commit_all(o, 4, &e) < 0);
    CHECK_TEXT(e.text, "q/r: cannot write: No such file");
    CHECK(holds("p", "old") && holds("q/r", "old") && access("s", F_OK) < 0);
    begin(o, twice, 2);
    CHECK(outfile_commit_all(o, 2, &e) < 0 && holds("p", "old"));
    CHECK_TEXT(e.text, "p and q/../p are one file");
    CHECK(outfile_commit_all(o, 0, &e) == 0);
}

int main(void)
{
    Err e = {0};
    struct stat st;
    own_folder();
    make("a", "one");
    CHECK(holds("a", "one") && entries() == 1);
    CHECK(chmod("a", 0640) == 0);

    OutFile *o = outfile_open("a", &e);
    CHECK(o && outfile_write(o, "two", 3, &e) == 0);
    CHECK(holds("a", "one") && entries() == 2);
    outfile_abort(o);
    CHECK(holds("a", "one") && entries() == 1);

    make("a", "two");
    CHECK(holds("a", "two") && stat("a", &st) == 0 && (st.st_mode & 07777) == 0640);

    CHECK(mkdir("d", 0777) == 0 && symlink("../a", "d/link") == 0);
    make("d/link", "three"); /* through the link */
    CHECK(holds("a", "three") && lstat("d/link", &st) == 0 && S_ISLNK(st.st_mode));
    CHECK(symlink("new", "d/dangling") == 0);
    make("d/dangling", "four");
    CHECK(holds("d/new", "four") && lstat("d/dangling", &st) == 0 && S_ISLNK(st.st_mode));

    make("/dev/null", "gone");
    CHECK(stat("/dev/null", &st) == 0 && S_ISCHR(st.st_mode));
    CHECK(symlink("loop", "loop") == 0 && !outfile_open("loop", &e));
    CHECK(!outfile_open("none/x", &e));
    CHECK_TEXT(e.text, "none/x: cannot create: No such file");
    CHECK(!outfile_open("d", &e));
    CHECK_TEXT(e.text, "d: cannot create: Is a directory");
    o = outfile_open("/dev/full", &e);
    CHECK(o && outfile_write(o, "x", 1, &e) < 0);
    CHECK_TEXT(e.text, "/dev/full: cannot write: No space left");
    outfile_abort(o);
    outfile_abort(NULL);
    together();
    return checked();
}

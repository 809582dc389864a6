/* records_test.c - lines, NUL-separated, CSV, JSON lines, whole files: what comes out, what is
 * refused. */
#include "tests/unit/check.h"

#include "records/records.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

static const char *const none[] = {NULL};

static void write_file(const char *path, const char *p, size_t n)
{
    FILE *f = fopen(path, "we");
    CHECK(f && fwrite(p, 1, n, f) == n && fclose(f) == 0);
}

/* All records as "a|b;c|d;", idleness left out, behind it "!" and the message of a fault. */
static char *read_with(RecSpec spec, char **files, int nfiles)
{
    Buf out = {0};
    Record rec;
    Err e = {0};
    int k;
    Records *r = rec_open(files, nfiles, &spec);
    while ((k = rec_next(r, &rec, &e)) > 0)
        for (int i = 0; k == REC_GOT && i < (spec.columns ? spec.columns : 1); i++) {
            buf_str(&out, i ? "|" : "");
            buf_str(&out, rec.null[i] ? "(null)" : "");
            buf_add(&out, rec.field[i].p, rec.field[i].n);
            buf_str(&out, i + 1 < spec.columns ? "" : ";");
        }
    if (k < 0) {
        Err again = {0};
        buf_fmt(&out, "!%s", e.text);
        CHECK(rec_next(r, &rec, &again) < 0 && strcmp(again.text, e.text) == 0);
    }
    rec_close(r);
    buf_add(&out, "", 1);
    return out.p;
}

static char *read_bytes(RecKind kind, const char *const *column, const char *p, size_t n)
{
    char *files[] = {"in"};
    RecSpec spec = {.kind = kind,
                    .header = true,
                    .delimiter = ',',
                    .column = (const char **)column,
                    .needed = 1};
    while (column[spec.columns])
        spec.columns++;
    write_file("in", p, n);
    return read_with(spec, files, 1);
}

#define IS(kind, column, text, want)                                                               \
    do {                                                                                           \
        char *got = read_bytes(kind, column, text, sizeof text - 1);                               \
        if (strcmp(got, want) != 0)                                                                \
            fprintf(stderr, "got  %s\nwant %s\n", got, want);                                      \
        CHECK(strcmp(got, want) == 0);                                                             \
        free(got);                                                                                 \
    } while (0)

#define REMEDY ": convert it first (iconv -f latin1 -t utf8)"

static void lines(void)
{
    IS(REC_LINES, none, "", "");
    IS(REC_LINES, none, "a", "a;");
    IS(REC_LINES, none, "a\n", "a;");
    IS(REC_LINES, none, "\n\n", ";;");
    IS(REC_LINES, none, "a\r\n\r\nb\rc\n", "a;;b\rc;");
    IS(REC_LINES, none,
       "\xef\xbb\xbf"
       "a\n\xef\xbb\xbf",
       "a;\xef\xbb\xbf;");
    IS(REC_LINES, none, "\xef\xbb\xbf", "");
    IS(REC_LINES, none, "\xef\xbb", "!in: record 1: byte 1 is not UTF-8" REMEDY);
    IS(REC_LINES, none, "a\nb\xe9\n", "a;!in: record 2: byte 2 is not UTF-8" REMEDY);
    IS(REC_LINES, none, "a\0\n",
       "!in: record 1: byte 2 is NUL, which no text has: remove it (tr -d '\\0')");
    IS(REC_NUL, none, "a\nb\0\0c", "a\nb;;c;");
}

static void csv(void)
{
    static const char *const ab[] = {"a", "b", NULL}, *const a[] = {"a", NULL},
                             *const b[] = {"b", NULL}, *const two[] = {"a#2", "#1", "2", NULL},
                             *const no[] = {"zz", NULL};
    IS(REC_CSV, ab, "", "");
    IS(REC_CSV, ab, "a,b\n", "");
    IS(REC_CSV, ab, "x,b,a\n1,2,3\n", "3|2;");
    IS(REC_CSV, ab,
       "\xef\xbb\xbf"
       "a,b\r\n 1 ,\" 2 \"\r\n",
       " 1 | 2 ;");
    IS(REC_CSV, ab, "a,b\n\"x\ny\"\"z\",\n\n\"\",q", "x\ny\"z|;|q;");
    IS(REC_CSV, ab, "a,b\nsaid \"x\",y\"\n", "said \"x\"|y\";");
    IS(REC_CSV, two, "a,a,,\n1,2,3,4\n", "2|3|2;");
    IS(REC_CSV, no, "a,b\n1,2\n", "!in: header: no column 'zz': there are a, b");
    IS(REC_CSV, a, "a,b\n1,2\n3\n4,5\n",
       "1;!in: record 2: 1 field, but the header has 2: quote fields that hold the delimiter");
    IS(REC_CSV, a, "a,b\n1,2\n3,4,5\n",
       "1;!in: record 2: 3 fields, but the header has 2: quote fields that hold the delimiter");
    IS(REC_CSV, a, "a,b\n1,2\n3,\"x\n",
       "1;!in: record 2: a quote is left open at the end of the file: close it");
    IS(REC_CSV, a, "a,b\n1,2\n3,\"x\"y\n",
       "1;!in: record 2: text behind a closing quote: double the quotes inside a field");
    IS(REC_CSV, b, "a,b\n\xe9,2\n3,\xe9\n", /* only what is asked for has to be text */
       "2;!in: record 2: column 'b': byte 1 is not UTF-8" REMEDY);
    IS(REC_CSV, a, "a\n1\n\n2", "1;2;");
}

static void csv_kinds(void)
{
    char *files[] = {"one", "two"};
    static const char *text[] = {"text", "1"}, *third[] = {"3"}, *named[] = {"a"};
    RecSpec spec = {
        .kind = REC_CSV, .header = true, .delimiter = '\t', .column = text, .columns = 2};
    write_file("one", "text\tx\na,b\tc\n", 13);
    write_file("two", "x\ttext\nd\te\n", 11);
    char *got = read_with(spec, files, 2);
    CHECK(strcmp(got, "a,b|a,b;e|d;") == 0);
    free(got);
    spec = (RecSpec){.kind = REC_CSV, .delimiter = ';', .column = third, .columns = 1};
    write_file("one", "1;2;3\n4;5;6", 11);
    got = read_with(spec, files, 1);
    CHECK(strcmp(got, "3;6;") == 0);
    free(got);
    write_file("one", "1;2\n", 4);
    got = read_with(spec, files, 1);
    CHECK_TEXT(got, "one: record 1: no column 3: there are 1 to 2");
    free(got);
    spec.column = named;
    got = read_with(spec, files, 1);
    CHECK_TEXT(got, "no column 'a': without a header columns are numbers, from 1");
    free(got);
}

/* A header of so many columns: one `text`, and the rest of them with one name. */
static char *read_columns(int columns, const char *name, const char *asked)
{
    Buf in = {0};
    buf_str(&in, "text");
    for (int i = 1; i < columns; i++)
        buf_fmt(&in, ",%s", name);
    for (int i = 0; i < columns; i++)
        buf_fmt(&in, "%c%d", i ? ',' : '\n', i);
    char *got = read_bytes(REC_CSV, (const char *const[]){asked, NULL}, in.p, in.n);
    free(in.p);
    return got;
}

/* As many columns as a spreadsheet has, in time that grows with them. */
static void csv_columns(void)
{
    static const char *const odd[] = {"a#2#2", "a#3", "a#4", "#1#2", "#2", NULL};
    static const struct {
        int columns;
        const char *name, *asked, *want;
    } cases[] = {{REC_COLUMNS, "a", "a#16383", "16383;"},
                 {REC_COLUMNS, "", "#16383", "16383;"},
                 {REC_COLUMNS + 1, "a", "text", "!in: header: more than 16384 columns"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = read_columns(cases[i].columns, cases[i].name, cases[i].asked);
        CHECK_TEXT(got, cases[i].want);
        free(got);
    }
    /* a header that has names as they are made already */
    IS(REC_CSV, odd, "a,a#2,a#2,a,a,#1,#1,,\n1,2,3,4,5,6,7,8,9\n", "3|4|5|7|8;");
}

static void json(void)
{
    static const char *const ab[] = {"a", "b", NULL};
    IS(REC_JSON, ab, "{\"a\":\"x\\ny\",\"b\":\"\\u00e9\"}\n\n{\"b\":null,\"a\":\"\"}",
       "x\ny|\xc3\xa9;|(null);");
    IS(REC_JSON, ab, "{\"a\":1,\"b\":0.1}\n{\"a\":true,\"b\":-1e300}\n{\"a\":1e2}\n",
       "1|0.1;true|-1e+300;100|(null);");
    IS(REC_JSON, ab, "{\"b\":\"x\"}\n", "!in: record 1: no field 'a': there are b");
    IS(REC_JSON, ab, "{\"a\":[]}\n",
       "!in: record 1: field 'a' is no text: choose a field with one");
    IS(REC_JSON, ab, "{\"a\":\"\\u0000\"}\n",
       "!in: record 1: field 'a': byte 1 is NUL, which no text has: remove it (tr -d '\\0')");
    IS(REC_JSON, ab, "[1]\n", "!in: record 1: no JSON object: give one a line");
    IS(REC_JSON, ab, "{\"a\":\"\xe9\"}\n", "!in: record 1: byte 7 is not UTF-8" REMEDY);
    char *got = read_bytes(REC_JSON, ab, "{\"a\":1,\"a\":2}", 13);
    CHECK_TEXT(got, "duplicate");
    free(got);
    /* what nobody asked for stops no row, nor do numbers that no type has room for */
    IS(REC_JSON, ab,
       "{\"a\":\"x\",\"c\":NaN,\"d\":[1e400,-Infinity,{\"e\":123456789012345678901}]}\n",
       "x|(null);");
    IS(REC_JSON, ab, "{\"c\":1,\"a\":\"\\u00e9\",\"c\":\"\\ud800\",\"\\u0062\":\"y\"}\n",
       "\xc3\xa9|y;");
    IS(REC_JSON, ab,
       "{\"a\":18446744073709548794,\"b\":-1e400}\n{\"a\":NaN,\"b\":9223372036854775807}\n",
       "18446744073709548794|-1e400;NaN|9223372036854775807;");
    static const char *const broken[] = {
        "{\"a\":1,\"c\":NaN]",    "{\"a\":1,\"c\":nan}",     "{\"a\":1,\"c\":-}",
        "{\"a\":1,\"c\":01}",     "{\"a\":1,\"c\":1.}",      "{\"a\":1,\"c\":1e}",
        "{\"a\":1,\"c\":[NaN,]}", "{\"a\":1,\"c\":{NaN:1}}", "{\"a\":1,\"c\":{\"d\" 1e400}}",
        "{\"a\":1,\"c\":NaN} 1",  "{\"a\":1,\"c\":\"\t\"}",  "{\"a\":1,\"c\":\"\\",
        "{\"a\":NaN,\"a\":NaN}",  "{\"a\":1,\"c\":1e400,}",
    };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        char *told = read_bytes(REC_JSON, ab, broken[i], strlen(broken[i]));
        CHECK_TEXT(told, "give one JSON object a line");
        free(told);
    }
    got = read_bytes(REC_JSON, ab, "{\"a\":1\n", 7);
    CHECK_TEXT(got, "give one JSON object a line");
    free(got);
}

static void places(void)
{
    char *files[] = {"one", "not there"}, *folder[] = {"."};
    RecSpec spec = {.kind = REC_LINES};
    write_file("one", "a\n", 2);
    char *got = read_with(spec, files, 2);
    CHECK(strcmp(got, "a;!not there: No such file or directory") == 0);
    free(got);
    got = read_with(spec, folder, 1);
    CHECK_TEXT(got, "!.: record 1: cannot read: Is a directory");
    free(got);
    Record rec = {0};
    Err e = {0};
    char *twice[] = {"one", "one"};
    Records *r = rec_open(twice, 2, &spec);
    CHECK(rec_next(r, &rec, &e) == REC_GOT && rec.number == 0 && rec.in_file == 1);
    CHECK(rec_next(r, &rec, &e) == REC_GOT && rec.number == 1 && rec.in_file == 1);
    CHECK(strcmp(rec.place, "one") == 0);
    CHECK(rec_next(r, &rec, &e) == 0);
    rec_close(r);
}

/* A file a record, and what its folder is called. */
static void whole_files(void)
{
    static const char *names[] = {"text", "folder"};
    RecSpec one = {.kind = REC_FILE}, two = {.kind = REC_FILE, .column = names, .columns = 2};
    CHECK(mkdir("pos", 0777) == 0 && mkdir("pos/deep", 0777) == 0);
    write_file("pos/a", "\xef\xbb\xbfone\ntwo\r\n\n", 13);
    write_file("pos/deep/b", "", 0);
    write_file("bare", "x\xe9", 2);
    char *files[] = {"pos/a", "pos/deep/b", "pos//a", "./pos/deep//b", "bare"};
    const struct {
        RecSpec *spec;
        char **file;
        int files;
        const char *want;
    } cases[] = {
        {&one, files, 2, "one\ntwo;;"},
        {&two, files, 4, "one\ntwo|pos;|deep;one\ntwo|pos;|deep;"},
        {&one, files + 3, 2, ";!bare: record 1: byte 2 is not UTF-8" REMEDY},
        {&one, (char *[]){"pos"}, 1,
         "!pos: is a folder: name its files (find FOLDER -type f | tok -F)"},
        {&one, (char *[]){"none"}, 1, "!none: No such file or directory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *got = read_with(*cases[i].spec, cases[i].file, cases[i].files);
        CHECK_TEXT(got, cases[i].want);
        CHECK(strlen(got) == strlen(cases[i].want));
        free(got);
    }
    write_file("bare", "x", 1);
    const char *bare[] = {"bare", "./bare", "pos/../bare"};
    for (size_t i = 0; i < 3; i++) {
        char *file = mem_strn(bare[i], strlen(bare[i])), *got = read_with(two, &file, 1);
        CHECK_TEXT(got, "record 1: its path has no folder whose name is the label: name it from "
                        "above, as in pos/bare");
        free(got);
        free(file);
    }
}

/* Long records, and many: more than one window and one block. */
static void sizes(void)
{
    static const char *const ab[] = {"a", "b", NULL};
    Buf in = {0}, want = {0};
    buf_str(&in, "a,b\n");
    for (int i = 0; i < 3000; i++) {
        int long_one = i % 500 == 3 ? 700000 : 10;
        buf_fmt(&in, "%d,\"", i);
        buf_fmt(&want, "%d|", i);
        memset(buf_room(&in, (size_t)long_one), 'x', (size_t)long_one);
        memset(buf_room(&want, (size_t)long_one), 'x', (size_t)long_one);
        in.n += (size_t)long_one;
        want.n += (size_t)long_one;
        buf_str(&in, "\"\n");
        buf_str(&want, ";");
    }
    buf_add(&want, "", 1);
    char *got = read_bytes(REC_CSV, ab, in.p, in.n);
    CHECK(strcmp(got, want.p) == 0);
    free(got);
    got = read_bytes(REC_LINES, none, in.p, in.n);
    CHECK(strlen(got) == in.n); /* a ; for each newline */
    free(got);
    free(in.p);
    free(want.p);
}

/* Bytes that come one at a time, with pauses after the second and the last line. */
static void *drip(void *fd)
{
    static const char text[] = "\xef\xbb\xbf"
                               "a\r\nb\ncd\n";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        if (i == 8)
            usleep(60000);
        if (write(*(int *)fd, text + i, 1) != 1)
            break;
    }
    usleep(60000);
    close(*(int *)fd);
    return NULL;
}

static void idle(void)
{
    int fd[2];
    pthread_t t;
    Record rec = {0};
    Err e = {0};
    Buf seen = {0};
    int k, saved = dup(STDIN_FILENO);
    CHECK(pipe2(fd, O_CLOEXEC) == 0 && dup2(fd[0], STDIN_FILENO) == STDIN_FILENO);
    close(fd[0]);
    CHECK(pthread_create(&t, NULL, drip, &fd[1]) == 0);
    Records *r = rec_open(NULL, 0, &(RecSpec){.kind = REC_LINES});
    while ((k = rec_next(r, &rec, &e)) > 0)
        buf_fmt(&seen, "%.*s;", k == REC_GOT ? (int)rec.field[0].n : 1,
                k == REC_GOT ? rec.field[0].p : "~");
    CHECK(k == 0 && strcmp(rec.place, "stdin") == 0);
    buf_add(&seen, "", 1);
    CHECK_TEXT(seen.p, "b;~;cd;~;"); /* once each, however long the pause */
    rec_close(r);
    pthread_join(t, NULL);
    dup2(saved, STDIN_FILENO);
    free(seen.p);
}

/* What comes in pieces, with a pause behind each: until a NULL. */
typedef struct Pieces {
    const char *const *piece;
    int fd;
} Pieces;

static void *send(void *pieces)
{
    Pieces *p = pieces;
    for (; *p->piece; p->piece++) {
        ssize_t n = (ssize_t)strlen(*p->piece);
        CHECK(write(p->fd, *p->piece, (size_t)n) == n);
        usleep(30000);
    }
    close(p->fd);
    return NULL;
}

static char *read_pieces(RecKind kind, const char **column, const char *const *piece)
{
    int fd[2], saved = dup(STDIN_FILENO);
    pthread_t t;
    RecSpec spec = {.kind = kind,
                    .header = true,
                    .delimiter = ',',
                    .column = column,
                    .columns = column != NULL};
    CHECK(pipe2(fd, O_CLOEXEC) == 0 && dup2(fd[0], STDIN_FILENO) == STDIN_FILENO);
    close(fd[0]);
    Pieces p = {piece, fd[1]};
    CHECK(pthread_create(&t, NULL, send, &p) == 0);
    char *got = read_with(spec, NULL, 0);
    pthread_join(t, NULL);
    dup2(saved, STDIN_FILENO);
    close(saved);
    return got;
}

/* A character that comes in two reads, whole or not, where CSV has taken its first half already. */
static void halves(void)
{
    static const char *text[] = {"text"};
    static const char *const whole[] = {"text\nab\ncaf\xc3", "\xa9\n\xe2", "\x82", "\xac\n", NULL},
                             *const wrong[] = {"text\nab\ncaf\xc3", "A\nx\n", NULL},
                             *const late[] = {"text\nab\ncaf\xe2\x82", "\n", NULL},
                             *const cut[] = {"text\nab\ncaf\xc3", NULL};
    const struct {
        const char *const *piece;
        const char *want[2]; /* as lines and as CSV */
    } kinds[] = {
        {whole, {"text;ab;caf\xc3\xa9;\xe2\x82\xac;", "ab;caf\xc3\xa9;\xe2\x82\xac;"}},
        {wrong, {"record 3: byte 4 is not UTF-8", "record 2: column 'text': byte 4 is not"}},
        {late, {"record 3: byte 4 is not UTF-8", "record 2: column 'text': byte 4 is not"}},
        {cut, {"record 3: byte 4 is not UTF-8", "record 2: column 'text': byte 4 is not"}}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (int csv = 0; csv < 2; csv++) {
            char *got = read_pieces(csv ? REC_CSV : REC_LINES, csv ? text : NULL, kinds[i].piece);
            CHECK_TEXT(got, kinds[i].want[csv]);
            free(got);
        }
}

int main(void)
{
    own_folder();
    halves();
    lines();
    csv();
    csv_kinds();
    csv_columns();
    json();
    places();
    whole_files();
    sizes();
    idle();
    return checked();
}

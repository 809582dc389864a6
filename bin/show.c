/* show - a stream, a model folder or this machine, to read. */
#include "base/msg.h"
#include "base/opt.h"
#include "base/write.h"
#include "bin/programs.h"
#include "filter/stream_tokenizer.h"
#include "io/save.h"
#include "io/spool.h"
#include "model/find.h"
#include "report/digest.h"
#include "report/folder.h"
#include "report/machine.h"
#include "report/npy.h"
#include "report/overview.h"
#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_PAD = OPT_LONG, KEY_DIGEST, KEY_LENGTHS, KEY_MACHINE };

static const Opt options[] = {
    {'r', "rows", NULL, "a JSON object a row", OPT_KEY},
    {'n', "name", "TENSOR", "one tensor of all frames as a NumPy file", OPT_KEY},
    {KEY_PAD, "pad", "N", "rows padded to N tokens (0: the longest) with their attention mask",
     OPT_KEY},
    {'o', "output", "FILE", "all frames as one safetensors document", OPT_KEY},
    {KEY_DIGEST, "digest", NULL, "a hash of each tensor, row by row", OPT_KEY},
    {KEY_LENGTHS, "lengths", NULL, "the distribution of tokens a row", OPT_KEY},
    {KEY_MACHINE, "machine", NULL, "this machine", OPT_KEY},
    {0},
};

typedef struct Show {
    int mode;          /* an option's key; 0: the overview */
    const char *value; /* of -n and -o */
    int64_t pad;
    const char *model; /* -m */
    Tokenizer *tokenizer;
    bool looked; /* for the tokenizer */
    Speller speller;
    Overview *overview;
    Digest *digest;
    Lengths lengths;
    Buf out;
} Show;

static void deliver(Show *s)
{
    Err e = {0};
    if (put_out(&s->out, &e) < 0)
        die(&e);
}

/* ---- the vocabulary ---- */

static Str spell(const void *tokenizer, int64_t id)
{
    bool fits = id >= 0 && id < tokenizer_size(tokenizer);
    return fits ? tokenizer_text(tokenizer, (int32_t)id) : str_of(NULL, 0);
}

/* With the first frame that has ids: tokens are shown where the model that -m or the stream
 * names is there. Only one asked for by -m must be. */
static void find_speller(Show *s, const Frame *f)
{
    Err e = {0};
    const char *model = s->model ? s->model : frame_meta(f, "model");
    if (s->looked || !frame_get(f, "token.id"))
        return;
    s->looked = true;
    s->tokenizer = stream_tokenizer_load(model, frame_meta(f, "vocab"), &e);
    if (!s->tokenizer && s->model)
        die(&e);
    if (!s->tokenizer)
        return;
    int32_t pad = tokenizer_special(s->tokenizer, TOK_PAD);
    s->speller = (Speller){spell, s->tokenizer, pad < 0 ? 0 : pad};
}

/* ---- frame by frame ---- */

static int show_frame(Show *s, const Frame *f, Err *e)
{
    find_speller(s, f);
    if (s->mode == 0)
        overview_add(s->overview, f);
    if (s->mode == KEY_DIGEST)
        digest_add(s->digest, f);
    for (int64_t i = 0; i < f->rows; i++) {
        if (s->mode == 'r')
            rows_put_json(&s->out, f, i, &s->speller);
        else if (s->mode == KEY_LENGTHS)
            lengths_add(&s->lengths, rows_length(f, i));
        else if (s->mode == KEY_PAD && rows_put_padded(&s->out, f, i, s->pad, &s->speller, e) < 0)
            return -1;
    }
    return 0;
}

static void show_stream(Show *s, In *in)
{
    Err e = {0};
    Frame *f;
    int k;
    if (s->mode == 0)
        s->overview = overview_new(&s->speller);
    if (s->mode == KEY_DIGEST)
        s->digest = digest_new();
    while ((k = in_next(in, &f, &e)) > 0) {
        k = show_frame(s, f, &e);
        if (k < 0)
            err_at(&e, "%s: row %lld", in_place(in), (long long)(in_rows(in) - f->rows + e.row));
        frame_free(f);
        deliver(s);
        if (k < 0)
            break;
    }
    /* A hash or a distribution of half a stream would look like the whole one's. */
    if (s->mode == 0 && (k == 0 || in_rows(in)))
        overview_end(s->overview, &s->out);
    else if (s->mode == KEY_DIGEST && k == 0)
        digest_end(s->digest, &s->out);
    else if (s->mode == KEY_LENGTHS && k == 0)
        lengths_end(&s->lengths, &s->out);
    deliver(s);
    if (k < 0)
        die(&e);
}

/* ---- what needs the whole stream first ---- */

static Frame *frame_of(const Spool *spool, int i)
{
    Err e = {0};
    Frame *f = spool_frame(spool, i, &e);
    if (!f)
        die(&e);
    return f;
}

static void show_npy(Show *s, const Spool *spool)
{
    Err e = {0};
    Npy npy = {.name = s->value};
    int n = spool_frames(spool);
    for (int i = 0; i < n; i++) {
        Frame *f = frame_of(spool, i);
        if (npy_count(&npy, f, &e) < 0)
            die(&e);
        frame_free(f);
    }
    if (npy_header(&npy, &s->out, &e) < 0)
        die(&e);
    for (int i = 0; i < n; i++) {
        Frame *f = frame_of(spool, i);
        npy_data(&npy, f, &s->out);
        frame_free(f);
        deliver(s);
    }
}

static void show_padded(Show *s, const Spool *spool)
{
    Err e = {0};
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < spool_frames(spool); i++) {
            Frame *f = frame_of(spool, i);
            for (int64_t r = 0; pass == 0 && r < f->rows; r++)
                s->pad = rows_length(f, r) > s->pad ? rows_length(f, r) : s->pad;
            if (pass == 1 && show_frame(s, f, &e) < 0)
                die(&e);
            frame_free(f);
            deliver(s);
        }
}

/* One document has one set of tensors; frames without rows (ends) bring none. */
static void save_document(const Show *s, const Spool *spool)
{
    Err e = {0};
    int n = spool_frames(spool), kept = 0;
    Frame **frame = mem_zero((size_t)n, sizeof *frame);
    for (int i = 0; i < n; i++) {
        Frame *f = frame_of(spool, i);
        if (f->rows == 0 && (kept || i < n - 1)) {
            frame_free(f);
            continue;
        }
        f->end = END_NONE;
        if (kept && !frame_agree(frame[0], f))
            dief("the stream's tensors or metadata change midway: one document cannot hold it");
        frame[kept++] = f;
    }
    Frame *all = frame_join(frame, kept);
    if (save_frame(s->value, all, &e) < 0)
        die(&e);
    frame_free(all);
    free(frame);
}

static void show_whole(Show *s, In *in)
{
    Err e = {0};
    Spool *spool = spool_in(in, &e);
    if (!spool)
        die(&e);
    if (s->mode == 'n')
        show_npy(s, spool);
    else if (s->mode == 'o')
        save_document(s, spool);
    else
        show_padded(s, spool);
    spool_free(spool);
}

/* ---- the command line ---- */

static Show read_options(Args *a)
{
    Show s = {0};
    for (int k; (k = args_next(a)) != -1;) {
        if (s.mode && s.mode != k)
            die_usage("one of -r, -n, -o, --pad, --digest, --lengths, --machine at a time");
        s.mode = k;
        if (k == 'n' || k == 'o')
            s.value = a->value;
        else if (k == KEY_PAD)
            s.pad = args_int(a, 0, 1 << 20);
    }
    s.model = a->common.model;
    if (s.mode == 'n' && isatty(STDOUT_FILENO))
        die_usage("-n writes a NumPy file: send standard output to one");
    if (s.mode == KEY_MACHINE && a->nfiles)
        die_usage("--machine takes no file");
    return s;
}

/* A folder, or the name of a model in the cache; the caller frees it. NULL: a stream. */
static char *folder_of(const Args *a)
{
    struct stat st;
    Err e = {0};
    if (a->nfiles != 1 || strcmp(a->files[0], "-") == 0)
        return NULL;
    if (stat(a->files[0], &st) == 0)
        return S_ISDIR(st.st_mode) ? mem_str(a->files[0]) : NULL;
    return model_find(a->files[0], &e);
}

int main(int argc, char **argv)
{
    Err e = {0};
    Args a = args_begin(PROGRAM(show), options, NULL, argc, argv);
    Show s = read_options(&a);
    char *folder = s.mode == KEY_MACHINE ? NULL : folder_of(&a);
    if (folder && s.mode)
        die_usage("%s is a model folder: that option is for streams", folder);
    if (s.mode == KEY_MACHINE)
        machine_put(&s.out, a.common.threads);
    else if (folder && folder_put(&s.out, folder, &e) < 0)
        die(&e);
    if (s.mode == KEY_MACHINE || folder) {
        deliver(&s);
    } else {
        In *in = in_open(a.files, a.nfiles);
        if (s.mode == 'n' || s.mode == 'o' || (s.mode == KEY_PAD && s.pad == 0))
            show_whole(&s, in);
        else
            show_stream(&s, in);
        in_close(in);
    }
    if (s.tokenizer)
        tokenizer_free(s.tokenizer);
    free(folder);
    free(s.out.p);
    return 0;
}

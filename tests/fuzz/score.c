/* score - logits to answers and metrics, each task with each of its options. Three bytes of
 * options, then a stream. */
#include "base/msg.h"
#include "model/model_tokenizer.h"
#include "task/task.h"
#include "tests/fuzz/fuzz.h"

#include <jansson.h>

/* Models of the tasks that write words. */
static Tokenizer *tokenizer(unsigned which)
{
    static const char *const model[] = {"models/bert-class", "models/bert-mask",
                                        "models/roberta-span", "models/xlm-roberta-token"};
    static Tokenizer *loaded[4];
    return fuzz_tokenizer(model[which], &loaded[which]);
}

static Scorer choose(const uint8_t **p, size_t *n)
{
    unsigned how = fuzz_byte(p, n), asked = fuzz_byte(p, n), more = fuzz_byte(p, n);
    Scorer s = {.place = "stdin",
                .answers.top = how & 4 ? (int)(how >> 5) : TOP_DEFAULT,
                .answers.format = (Format)((how & 3) % 3),
                .asked.given = asked & 63,
                .asked.aggregate = (Aggregate)(more % (AGG_MAX + 1)),
                .asked.targets = "the,cat,\xc3\xa9,a cat",
                .asked.max_answer = 1 + more / 8,
                .stream_tokenizer.tokenizer = tokenizer(asked >> 6)};
    if (s.asked.given & ASK_EVAL) /* as the program's own check has it */
        s.answers.top = TOP_DEFAULT, s.answers.format &= FORMAT_JSON,
        s.asked.given &= ~(unsigned)(ASK_MULTI | ASK_AGGREGATE);
    if (!(s.asked.given & ASK_TARGETS))
        s.asked.targets = NULL;
    if (!(s.asked.given & ASK_AGGREGATE))
        s.asked.aggregate = AGG_NONE;
    s.stream_tokenizer.work = tokwork_new(s.stream_tokenizer.tokenizer);
    return s;
}

/* JSON answers are a value a line; nothing on a terminal's lines commands it. */
static void check_lines(const Scorer *s)
{
    const Buf *b = &s->answers.out;
    if (s->answers.format == FORMAT_TSV)
        fuzz_plain(b);
    if (s->answers.format != FORMAT_JSON)
        return;
    for (size_t at = 0, end; at < b->n; at = end + 1) {
        const char *stop = memchr(b->p + at, '\n', b->n - at);
        MUST(stop);
        end = (size_t)(stop - b->p);
        json_t *j = json_loadb(b->p + at, end - at, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        MUST(j);
        json_decref(j);
    }
}

static int answer(const Task **task, void **state, Scorer *s, const Frame *f, Err *e)
{
    int status = 0;
    if (f->rows) {
        const Task *t = task_of(f, &s->asked, e);
        if (!t || (*task && t != *task))
            return -1;
        if (!*task && !(*state = t->open(s, f, e)))
            return -1;
        *task = t;
        status = t->frame(*state, s, f, e);
    }
    for (int64_t i = 0; status == 0 && i < f->rows; i++) {
        s->row++;
        status = (*task)->row(*state, s, f, i, e);
    }
    if (status == 0 && f->end != END_NONE && *task && (*task)->flush)
        status = (*task)->flush(*state, s, e);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    Scorer s = choose(&p, &n);
    const Task *task = NULL;
    void *state = NULL;
    int frames, end, status = 0;
    msg_quiet = true;
    Str stream = fuzz_stream(p, n);
    Frame **f = fuzz_frames(stream, 0, &frames, &end);
    for (int i = 0; i < frames && status == 0; i++) {
        Err e = {0};
        status = answer(&task, &state, &s, f[i], &e);
    }
    check_lines(&s);
    Err e = {0};
    if (status == 0 && task && (s.asked.given & ASK_EVAL)) {
        s.answers.out.n = 0;
        MUST((task->report(state, &s, &e) == 0) == !e.text[0]);
        if (s.answers.format == FORMAT_JSON && !e.text[0])
            check_lines(&s);
    }
    if (task)
        task->close(state);
    s.stream_tokenizer.tokenizer = NULL;
    stream_tokenizer_close(&s.stream_tokenizer);
    answer_free(&s.answers);
    fuzz_frames_free(f, frames);
    free((char *)stream.p);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *p, size_t n, size_t most, unsigned seed)
{
    return fuzz_mutate_stream(p, n, most, seed, 3);
}

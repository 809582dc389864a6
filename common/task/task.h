/* task.h - what the program `score` and a task agree on. A task is a table of functions over
 * the stream that `head` writes; tasks.c names them all, and each has a file of its own. */
#ifndef WEFT_TASK_H
#define WEFT_TASK_H

#include "filter/stream_tokenizer.h"
#include "measure/classes.h"
#include "task/answer.h"

typedef enum Aggregate { AGG_NONE, AGG_SIMPLE, AGG_FIRST, AGG_AVERAGE, AGG_MAX } Aggregate;

/* Options that belong to some tasks. */
enum {
    ASK_MULTI = 1,
    ASK_AGGREGATE = 2,
    ASK_TARGETS = 4,
    ASK_MAX_ANSWER = 8,
    ASK_IMPOSSIBLE = 16,
    ASK_EVAL = 32,
    ASK_SKIP = 64,  /* with --eval: rows without a label */
    ASK_WIDE = 128, /* a column a class */
    ASK_RAW = 256,  /* logits as they are */
    ASK_SORT = 512  /* rows of a group best first */
};

/* The command line. */
typedef struct Asked {
    unsigned given; /* ASK_ bits */
    Aggregate aggregate;
    const char *targets; /* "man,woman" */
    int64_t max_answer;  /* tokens */
} Asked;

typedef struct Scorer {
    Asked asked;
    Answers answers;
    StreamTokenizer stream_tokenizer;
    const char *place; /* of the row that is being answered: "stdin", and its number from 1 */
    int64_t row;
    int64_t skipped;              /* rows without an answer, each of which has been told */
    int64_t measured, unlabelled; /* rows of --eval */
} Scorer;

/* Functions that can fail return -1 with *e, whose row the program sets. */
typedef struct Task {
    const char *name;
    unsigned takes; /* ASK_ bits that mean something here */
    /* With the first frame that has rows; the task's own state, or NULL. */
    void *(*open)(Scorer *s, const Frame *f, Err *e);
    /* Another frame that has rows, then each of its rows in turn. */
    int (*frame)(void *state, Scorer *s, const Frame *f, Err *e);
    int (*row)(void *state, Scorer *s, const Frame *f, int64_t row, Err *e);
    /* A stream's end: what is open is answered. NULL: rows are answered one by one. */
    int (*flush)(void *state, Scorer *s, Err *e);
    /* --eval: appends the report to s->answers.out. */
    int (*report)(void *state, Scorer *s, Err *e);
    void (*close)(void *state);
} Task;

extern const Task task_class, task_next, task_mask, task_lm, task_token, task_span, task_zero_shot,
    task_rank;

/* The task that a frame's metadata name, whose options are no others than those given. */
const Task *task_of(const Frame *f, const Asked *asked, Err *e);
/* What n logits a row of text-classification are called, and how they make scores. */
int class_names(Classes *c, const Frame *f, const Scorer *s, int64_t n, Err *e);
/* This row has no answer: says why, and JSON, a value a row, has null. */
void task_skip(Scorer *s, const Frame *f, int64_t row, const char *why);
/* --skip-unlabelled: has this row nothing to be measured against? */
bool task_leaves_out(Scorer *s, const Frame *f, int64_t row);
/* How many such rows there were, as a notice; -1 where there were no others. */
int task_left_out(const Scorer *s, Err *e);
/* The row's F32 weight, 1 where the stream has none. */
double task_weight(const Frame *f, int64_t row);

#endif

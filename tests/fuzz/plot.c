/* plot - tables, reports and answers, or a stream, drawn as text and as gnuplot's script, in which
 * nothing of theirs stands outside quotes. */
#include "base/msg.h"
#include "plot/answers.h"
#include "plot/attention.h"
#include "plot/bins.h"
#include "plot/confusion.h"
#include "plot/curves.h"
#include "plot/draw.h"
#include "plot/script.h"
#include "plot/vectors.h"
#include "tests/fuzz/fuzz.h"

/* Lines of commands, of which each quote is closed on its line; of data, which are numbers. */
static void is_script(const Buf *b)
{
    bool data = false;
    for (size_t i = 0; i < b->n;) {
        const char *line = b->p + i, *end = memchr(line, '\n', b->n - i);
        MUST(end);
        size_t n = (size_t)(end - line), quotes = 0;
        for (size_t k = 0; k < n; k++)
            quotes += line[k] == '\'';
        MUST(quotes % 2 == 0);
        if (data && n == 3 && memcmp(line, "EOD", 3) == 0)
            data = false;
        else
            for (size_t k = 0; data && k < n; k++)
                MUST(strchr("0123456789+-.e Na", line[k]));
        data |= n > 6 && line[0] == '$' && memcmp(end - 6, "<< EOD", 6) == 0;
        i += n + 1;
    }
    MUST(!data);
}

static void draw(Chart *c, const Err *e)
{
    static const Page page[] = {{80, true, false}, {44, false, false}};
    Err narrow = {0};
    MUST((c != NULL) == !e->text[0]);
    if (!c)
        return;
    for (int i = 0; i < 2; i++) {
        Buf out = {0};
        MUST(draw_chart(&out, c, &page[i], &narrow) == 0 || narrow.text[0]);
        fuzz_plain(&out);
        free(out.p);
    }
    for (int kind = PICTURE_PNG; kind <= PICTURE_PDF; kind++) {
        Buf script = {0};
        script_put(&script, c, (PictureKind)kind);
        fuzz_plain(&script);
        is_script(&script);
        free(script.p);
    }
    chart_free(c);
}

static void draw_file(unsigned how, const uint8_t *p, size_t n)
{
    static const CurveSpec curves[] = {{NULL, "loss", 1}, {"2", "1,3", 3}};
    Err e = {0};
    char *path = fuzz_file("in", p, n);
    Chart *c = NULL;
    switch (how % 5) {
    case 0: c = curves_chart(&path, 1, &curves[0], &e); break;
    case 1: c = curves_chart(&path, 1, &curves[1], &e); break;
    case 2: c = confusion_chart(&path, &e); break;
    case 3: c = calibration_chart(&path, &e); break;
    case 4: c = margins_chart(&path, &e); break;
    }
    draw(c, &e);
}

static void draw_stream(unsigned how, const uint8_t *p, size_t n)
{
    Str stream = fuzz_stream(p, n);
    Err e = {0};
    AttentionSpec look = {.row = 1, .layer = how >> 4 & 1};
    char *path = fuzz_file("in", stream.p, stream.n);
    In *in = in_open(&path, 1);
    Chart *c = NULL;
    switch (how % 4) {
    case 0: c = lengths_chart(in, &e); break;
    case 1: c = attention_chart(in, &look, &e); break;
    case 2: c = similarity_chart(in, &e); break;
    case 3: c = map_chart(in, &e); break;
    }
    draw(c, &e);
    in_close(in);
    free((char *)stream.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    unsigned how = fuzz_byte(&p, &n);
    msg_quiet = true;
    if (how & 128)
        draw_stream(how, p, n);
    else
        draw_file(how, p, n);
    return 0;
}

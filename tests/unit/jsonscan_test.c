/* jsonscan_test.c - JSON read as it stands: strings, numbers, and values passed over whatever
 * stands in them. */
#include "tests/unit/check.h"

#include "store/jsonscan.h"

static uint32_t state = 1;

static uint32_t draw(uint32_t below)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
}

static void draw_string(Buf *b)
{
    static const char *const parts[] = {"a",
                                        "[",
                                        "]]",
                                        "{",
                                        "}}",
                                        ",",
                                        ":",
                                        " ",
                                        "\\\"",
                                        "\\\\",
                                        "\\u00e9",
                                        "\xc3\xa9",
                                        "long enough to fill blocks"};
    buf_str(b, "\"");
    for (uint32_t n = draw(12); n > 0; n--)
        buf_str(b, parts[draw(sizeof parts / sizeof *parts)]);
    buf_str(b, "\"");
}

static void draw_value(Buf *b, int depth)
{
    uint32_t kind = draw(depth > 4 ? 2 : 4), n = draw(5);
    if (kind == 0)
        buf_str(b, "-1.5e3");
    else if (kind == 1)
        draw_string(b);
    for (uint32_t i = 0; kind > 1 && i < n; i++) {
        buf_str(b, i ? ",\n    " : kind == 2 ? "[" : "{");
        if (kind == 3) {
            draw_string(b);
            buf_str(b, ": ");
        }
        draw_value(b, depth + 1);
    }
    if (kind > 1)
        buf_str(b, n ? (kind == 2 ? "]" : "}") : kind == 2 ? "[ ]" : "{}");
}

/* A value in brackets is passed over exactly, and no beginning of it is one. */
static void skip_drawn(void)
{
    Buf b = {0};
    Err e = {0};
    buf_str(&b, "[");
    draw_value(&b, 0);
    buf_str(&b, "]");
    size_t n = b.n;
    buf_str(&b, ", \"]\" ]");
    JsonScan s = scan_of(b.p, b.n);
    CHECK(scan_skip(&s, &e) == 0 && s.p == b.p + n);
    for (size_t i = 0; i < n && i < 200; i++) {
        char *cut = mem_strn(b.p, i); /* on its own, so that a sanitizer sees its end */
        s = scan_of(cut, i);
        CHECK(scan_skip(&s, &e) < 0 && s.p <= s.end);
        free(cut);
    }
    free(b.p);
}

static void string_is(const char *json, const char *want)
{
    JsonScan s = scan_of(json, strlen(json));
    Str got;
    Err e = {0};
    CHECK(scan_string(&s, &got, &e) == 0 && got.n == strlen(want) &&
          memcmp(got.p, want, got.n) == 0);
    scan_free(&s);
}

static void string_fails(const char *json, const char *want)
{
    JsonScan s = scan_of(json, strlen(json));
    Str got;
    Err e = {0};
    CHECK(scan_string(&s, &got, &e) < 0);
    CHECK_TEXT(e.text, want);
    scan_free(&s);
}

static void strings(void)
{
    string_is(" \"abc\"", "abc");
    string_is("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
    string_is("\"x\\u00e9\\u20AC\\ud83d\\ude00y\"", "x\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80y");
    string_is("\"\xc3\xa9\"", "\xc3\xa9");
    string_fails("x", "'x' where a string should come");
    string_fails("\"ab", "ends where the rest of a string should come");
    string_fails("\"a\\", "ends where an escape should come");
    string_fails("\"\\u12", "ends where a hexadecimal digit should come");
    string_fails("\"\\ud83dx\"", "first half of a surrogate pair alone");
    string_fails("\"\\ud83d\\u0041\"", "first half of a surrogate pair alone");
    string_fails("\"\\ude00\"", "second half of a surrogate pair alone");
    string_fails("\"\xc3\"", "not UTF-8");
    string_fails("\"a\nb\"", "byte 0x0a");
    string_fails("\"\\ud83d\\ude00\xff\"", "not UTF-8");
}

/* Two strings are there at once. */
static void two_strings(void)
{
    const char *json = "\"\\u0061\" \"\\u0062\"";
    JsonScan s = scan_of(json, strlen(json));
    Str a, b;
    Err e = {0};
    CHECK(scan_string(&s, &a, &e) == 0 && scan_string(&s, &b, &e) == 0);
    CHECK(a.n == 1 && *a.p == 'a' && b.n == 1 && *b.p == 'b');
    scan_free(&s);
}

static void number_is(const char *json, bool good, double want)
{
    JsonScan s = scan_of(json, strlen(json));
    double got = 0;
    Err e = {0};
    CHECK((scan_real(&s, &got, &e) == 0) == good);
    CHECK(!good || got == want);
}

static void whole_is(const char *json, bool good, int64_t want)
{
    JsonScan s = scan_of(json, strlen(json));
    int64_t got = 0;
    Err e = {0};
    CHECK((scan_int(&s, &got, &e) == 0) == good);
    CHECK(!good || got == want);
}

static void numbers(void)
{
    number_is("0", true, 0);
    number_is(" -12.5e-1,", true, -1.25);
    number_is("-9.218820571899414", true, -9.218820571899414);
    number_is("1E3", true, 1000);
    number_is("01", false, 0);
    number_is(".5", false, 0);
    number_is("1.", false, 0);
    number_is("1e", false, 0);
    number_is("-", false, 0);
    number_is("1e999", false, 0);
    number_is("NaN", false, 0);
    number_is("0x10", true, 0); /* what comes behind is for the caller to refuse */
    number_is("1.00000000000000000000000000000000000000000000000000000000000001", false, 0);
    whole_is("123456789012345678", true, 123456789012345678);
    whole_is("1234567890123456789", false, 0);
    whole_is("-7", true, -7);
    whole_is("00", false, 0);
    whole_is("1.0", false, 0);
    whole_is("1e2", false, 0);
    whole_is("x", false, 0);
}

static void plain(void)
{
    const char *json = "null, 1";
    JsonScan s = scan_of(json, strlen(json));
    Err e = {0};
    CHECK(scan_skip(&s, &e) == 0 && s.p == json + 4);
    CHECK(scan_skip(&s, &e) < 0);
    CHECK_TEXT(e.text, "',' where a value should come");
    CHECK(scan_line(&s, json) == 1);
    s = scan_of("a\nb\n", 4);
    CHECK(scan_line(&s, s.begin + 1) == 1 && scan_line(&s, s.begin + 2) == 2 &&
          scan_line(&s, s.end) == 3);
}

int main(void)
{
    for (int i = 0; i < 400; i++)
        skip_drawn();
    strings();
    two_strings();
    numbers();
    plain();
    return checked();
}

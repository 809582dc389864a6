/* Answers against gold ones as SQuAD's script has it (golden/score/squad.tsv), and entities cut
 * out of labels, counted as seqeval counts them. */
#include "measure/entity_counts.h"
#include "measure/squad.h"
#include "tests/unit/check.h"

#include <math.h>

enum { FIELDS = 6, LINE = 512 };

/* The next line's fields, apart by tabs; those that it lacks are empty. */
static bool next_line(FILE *f, char line[LINE], char *field[FIELDS])
{
    char *rest = f ? fgets(line, LINE, f) : NULL;
    if (!rest)
        return false;
    line[strcspn(line, "\n")] = '\0';
    for (int i = 0; i < FIELDS; i++)
        field[i] = rest ? strsep(&rest, "\t") : "";
    return true;
}

static void squad(const char *path)
{
    FILE *f = fopen(path, "re");
    char line[LINE], *field[FIELDS];
    int rows = 0;
    CHECK(f);
    while (next_line(f, line, field)) {
        Str gold = str_of(field[0], strlen(field[0])), said = str_of(field[1], strlen(field[1]));
        CHECK(squad_exact(gold, said) == (field[2][0] == '1'));
        CHECK(fabs(squad_f1(gold, said) - strtod(field[3], NULL)) < 1e-6);
        rows++;
    }
    CHECK(rows > 15);
    if (f)
        fclose(f);
}

/* gold and said: indices of labels, a digit a word; counts of the only type, or of all. */
static void chunks(const char *json, int64_t n, const char *gold, const char *said, int64_t right,
                   int64_t answers, int64_t golds)
{
    Classes c;
    Err e = {0};
    EntityCount sum = {0};
    CHECK(classes_parse(&c, json, NULL, n, &e) == 0);
    EntityCounts x = entity_counts_new(&c);
    for (size_t i = 0; gold[i]; i++)
        entity_counts_add(&x, gold[i] - '0', said[i] - '0', 0);
    entity_counts_end(&x);
    for (int32_t i = 0; i < x.types; i++) {
        sum.right += x.count[i].right;
        sum.said += x.count[i].said;
        sum.gold += x.count[i].gold;
    }
    CHECK(sum.right == right && sum.said == answers && sum.gold == golds);
    entity_counts_free(&x);
    classes_clear(&c);
}

/* As many types as classes: counting begins at once, not after a minute. */
static void many_types(void)
{
    enum { MANY = 200000 };
    Classes c;
    Err e = {0};
    alarm(60);
    CHECK(classes_parse(&c, NULL, NULL, MANY, &e) == 0);
    EntityCounts x = entity_counts_new(&c);
    CHECK(x.types == MANY && x.tag[7].mark == 'L' && strcmp(x.type[x.tag[7].type], "ABEL_7") == 0);
    entity_counts_free(&x);
    classes_clear(&c);
    alarm(0);
}

/* golden/score/tags.tsv: chunks of all kinds of labels. */
static void tags(const char *path)
{
    FILE *f = fopen(path, "re");
    char line[LINE], *field[FIELDS];
    int rows = 0;
    CHECK(f);
    while (next_line(f, line, field)) {
        int64_t labels = 1;
        for (const char *c = field[0]; *c; c++)
            labels += *c == ',';
        chunks(field[0], labels, field[1], field[2], strtol(field[3], NULL, 10),
               strtol(field[4], NULL, 10), strtol(field[5], NULL, 10));
        rows++;
    }
    CHECK(rows == 360);
    if (f)
        fclose(f);
}

/* 0 O, 1 B-X, 2 I-X, 3 B-Y, 4 I-Y. */
static void entities(void)
{
    static const char *const bio = "[\"O\",\"B-X\",\"I-X\",\"B-Y\",\"I-Y\"]";
    chunks(bio, 5, "0120", "0120", 1, 1, 1);
    chunks(bio, 5, "0122", "0120", 0, 1, 1); /* another end */
    chunks(bio, 5, "012", "022", 1, 1, 1);   /* I begins one too */
    chunks(bio, 5, "112", "122", 0, 1, 2);   /* B parts neighbours */
    chunks(bio, 5, "124", "123", 2, 2, 2);   /* another type, whatever its letter */
    chunks(bio, 5, "000", "012", 0, 1, 0);
    chunks(bio, 5, "", "", 0, 0, 0);
    chunks("[\"S-X\",\"E-X\",\"I-X\",\"O\",\"B-X\"]", 5, "0041", "0021", 3, 3, 3);
}

int main(void)
{
    const char *top = getenv("TOP");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/golden/score/squad.tsv", top ? top : ".");
    squad(path);
    snprintf(path, sizeof path, "%s/tests/golden/score/tags.tsv", top ? top : ".");
    tags(path);
    entities();
    many_types();
    return checked();
}

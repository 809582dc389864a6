/* Shares of units: exact totals, and tables that keep to them. */
#include "base/rand.h"
#include "deal/exact_shares.h"
#include "tests/unit/check.h"

#include <math.h>

static void totals(void)
{
    Err e = {0};
    int64_t total[4];
    Share tweets[] = {{80, -1}, {10, -1}, {10, -1}};
    CHECK(share_totals(tweets, 3, 14640, total, &e) == 0);
    CHECK(total[0] == 11712 && total[1] == 1464 && total[2] == 1464);
    Share thirds[] = {{1, -1}, {1, -1}, {1, -1}};
    CHECK(share_totals(thirds, 3, 11, total, &e) == 0);
    CHECK(total[0] == 4 && total[1] == 4 && total[2] == 3);
    Share tenths[] = {{0.7, -1}, {0.2, -1}, {0.1, -1}};
    CHECK(share_totals(tenths, 3, 10, total, &e) == 0);
    CHECK(total[0] == 7 && total[1] == 2 && total[2] == 1);
    Share mixed[] = {{0, 5}, {1, -1}, {3, -1}};
    CHECK(share_totals(mixed, 3, 9, total, &e) == 0);
    CHECK(total[0] == 5 && total[1] == 1 && total[2] == 3);
    CHECK(share_totals(mixed, 3, 4, total, &e) < 0);
    CHECK_TEXT(e.text, "5 asked for, but there are only 4");
    CHECK(share_totals(mixed, 1, 9, total, &e) < 0);
    CHECK_TEXT(e.text, "no part takes the rest");
    CHECK(share_totals(thirds, 3, 0, total, &e) == 0 && total[0] == 0);
}

enum { STRATA = 12, PARTS = 6 };

/* Random tables: rows and columns add up, and each cell is its quota rounded. */
static void tables(void)
{
    Rand r = rand_new(7);
    for (int round = 0; round < 3000; round++) {
        int64_t size[STRATA], total[PARTS], cell[STRATA * PARTS], units = 0;
        int strata = 1 + (int)rand_below(&r, STRATA), parts = 1 + (int)rand_below(&r, PARTS);
        Share share[PARTS];
        Err e = {0};
        for (int s = 0; s < strata; s++)
            units += size[s] = (int64_t)rand_below(&r, 1 + rand_below(&r, 30));
        for (int p = 0; p < parts; p++)
            share[p] = (Share){0.01 + rand_unit(&r), -1};
        CHECK(share_totals(share, parts, units, total, &e) == 0);
        share_table(size, strata, total, parts, cell);
        for (int s = 0; s < strata; s++) {
            int64_t sum = 0;
            for (int p = 0; p < parts; p++) {
                double quota = units ? (double)size[s] * (double)total[p] / (double)units : 0;
                sum += cell[s * parts + p];
                CHECK(fabs((double)cell[s * parts + p] - quota) < 1);
            }
            CHECK(sum == size[s]);
        }
        for (int p = 0; p < parts; p++) {
            int64_t sum = 0;
            for (int s = 0; s < strata; s++)
                sum += cell[s * parts + p];
            CHECK(sum == total[p]);
        }
    }
}

/* The first numbers of the reference implementations: xoshiro256** on the state that
 * SplitMix64 makes of seed 0, whose own first number is e220a8397b1dcdaf. */
static void generator(void)
{
    Rand r = rand_new(0);
    CHECK(r.s[0] == 0xe220a8397b1dcdafu);
    CHECK(rand_u64(&r) == 0x99ec5f36cb75f2b4u);
    double sum = 0, squares = 0, least = 1, most = 0;
    int count[3] = {0}, n = 200000;
    for (int i = 0; i < n; i++) {
        double x = rand_normal(&r), u = rand_unit(&r);
        sum += x;
        squares += x * x;
        least = fmin(least, u);
        most = fmax(most, u);
        count[rand_below(&r, 3)]++;
    }
    CHECK(fabs(sum / n) < 0.01 && fabs(squares / n - 1) < 0.02);
    CHECK(least >= 0 && least < 0.001 && most < 1 && most > 0.999);
    for (int i = 0; i < 3; i++)
        CHECK(fabs((double)count[i] / n - 1.0 / 3) < 0.01);
    CHECK(rand_below(&r, 1) == 0);
}

int main(void)
{
    totals();
    tables();
    generator();
    return checked();
}

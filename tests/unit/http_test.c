/* http_test.c - where a redirect may lead. The rest of HTTP is tests/get.bats, with a hub. */
#include "hub/http.h"

#include "check.h"

int main(void)
{
    CHECK(strcmp(http_redirects("https://hub/x"), "https") == 0);
    CHECK(strcmp(http_redirects("HTTPS://hub/x"), "https") == 0);
    CHECK(strcmp(http_redirects("http://hub/https:"), "http,https") == 0);
    return checked();
}

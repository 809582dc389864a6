# probe.awk - the sentences of a probe, a line each: "a/b c" is "a c" and "b c".
{
    for (i = 1; i <= NF; i++)
        if ($i ~ /\//) {
            n = split($i, word, "/")
            at = i
        }
    for (k = 1; k <= n; k++) {
        $at = word[k]
        print
    }
}

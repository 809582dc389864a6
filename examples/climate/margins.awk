# margins.awk - the records of `score --csv`, each as a line: margin, tab, record with its newlines as
# \036. A record ends where its quotes are even; margin is its last field.
{
    record = open ? record "\036" $0 : $0
    open = gsub(/"/, "\"", record) % 2
    if (open || !header++)
        next
    margin = record
    sub(/.*,/, "", margin)
    print margin "\t" record
}

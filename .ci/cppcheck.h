/* cppcheck.h - what cppcheck, which reads no header of the system, has to know of some of them. */
#define noreturn __attribute__((noreturn))
#define PRId64 "ld"
#define json_object_foreach(object, key, value)                                                    \
    for (void *it = json_object_iter(object);                                                      \
         (key = json_object_iter_key(it)) && (value = json_object_iter_value(it));                 \
         it = json_object_iter_next(object, it))
#define json_array_foreach(array, i, value)                                                        \
    for (i = 0; i < json_array_size(array) && (value = json_array_get(array, i)); i++)

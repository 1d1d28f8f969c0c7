/* Lines on their way to stdout. A reader that is slow is never waited for: what it does not take is kept, up to a limit that whoever makes lines must look at. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Longest line there is: an exec with all its texts escaped. */
enum { LINE_ROOM = 192 << 10 };

void output_open(void);
void output_set_limit(size_t limit);
/* Memory for one line, LINE_ROOM long, that output_line takes. */
char *output_memory(void);
void output_line(const char *line, size_t length);
/* As output_line, before all lines that wait: who asks is not to wait for what others do. Lines of this kind stay in their order. */
void output_answer(const char *line, size_t length);
/* More is kept than the limit: read no more events until it is less. */
bool output_is_full(void);
bool output_is_empty(void);
/* Writes what the reader takes. */
void output_flush(void);
/* At the end: waits for the reader, for a while. */
void output_finish(void);

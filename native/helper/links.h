#pragma once

/* Waits for the deletions that were asked for: they are carried out even when nobody can be answered any more. */
void finish_deletions(void);

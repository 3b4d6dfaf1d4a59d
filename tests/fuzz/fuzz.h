/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every fuzzer has: a function that is given bytes, and a way to say that something is wrong.
 * A fuzzer is fuzz_NAME.c; it runs under libFuzzer, or in replay.c over the files of a corpus.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <mapsim/types.h>

#include <stdio.h>

/* libFuzzer's names. Answers 0, or -1: the bytes are not worth keeping. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Changes data[0, size) in place, to at most `most` bytes; answers how many. Only in a fuzzer. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
				 uint8_t *out, size_t most, unsigned int seed);
/* libFuzzer's own changes. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* Prints the sentence and aborts: the bytes break a rule. */
__attribute__((noreturn, format(printf, 1, 2))) void fuzz_fail(const char *format, ...);

/* The same numbers for the same seed, which is not 0. */
static inline uint64_t fuzz_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed >> 11;
}

#endif

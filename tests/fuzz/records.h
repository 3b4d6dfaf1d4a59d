/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes as a head and then records of one length, each an operation. Where a record stands says
 * nothing about what it means, so that records can be dropped, moved and taken from elsewhere.
 */
#ifndef TEST_FUZZ_RECORDS_H
#define TEST_FUZZ_RECORDS_H

#include "fuzz.h"

#define RECORD 8

struct records {
	const uint8_t *head; /* FUZZ_HEAD bytes */
	const uint8_t *at, *end;
};

#define FUZZ_HEAD 16

/* false: there is not even a head. */
static inline bool records_begin(struct records *r, const uint8_t *data, size_t size)
{
	*r = (struct records){ data, data + FUZZ_HEAD, data + size };
	return size >= FUZZ_HEAD;
}

/* The next one; NULL: no more. */
static inline const uint8_t *records_next(struct records *r)
{
	const uint8_t *record = r->at;

	if (r->end - r->at < RECORD)
		return NULL;
	r->at += RECORD;
	return record;
}

static inline uint16_t record_u16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

#endif

/* Puts an executable back as it was: see ../README.md for the format, ../columns.py, which rearranged it, and
   ../packing.py for packed.h, which says where all lies. */

#include <stdint.h>
#include <string.h>

#define COLUMNS 23

/* The columns, in the order that columns.py has. */
enum {
    KINDS, COUNTS, REFERENCES, VALUES, TEXT, FIRST_LINES, INSTRUCTIONS, STEPS, NUMBERS,
    BYTES = NUMBERS + 5, SIZES = BYTES + 5
};
enum { VALUE, CODE, LOCALS, LINES, EXCEPTIONS };
enum { OPAQUE, COUNTED };

static const uint8_t *columns[COLUMNS]; /* what is not read yet */
static uint8_t *output;

static uint32_t number(int column) {
    uint32_t value = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t byte = *columns[column]++;
        value |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
}

static void put(uint32_t value, int size) {
    for (; size; size--, value >>= 8) *output++ = value;
}

static void copy(int column, uint32_t size) {
    memcpy(output, columns[column], size);
    columns[column] += size;
    output += size;
}

static void put_string(uint8_t kind, int counted) {
    uint32_t size = counted ? number(TEXT) : strlen((const char *)columns[TEXT]);
    put(size, kind == 'z' || kind == 'Z' ? 1 : 4);
    copy(TEXT, size);
    columns[TEXT] += !counted;
}

static void put_bytes(int field) {
    uint32_t size = number(SIZES + field);
    put(size, 4);
    if (field != CODE) {
        copy(BYTES + field, size);
        return;
    }
    for (uint8_t *end = output + size; output < end;) {
        uint32_t cache = 2 * caches[*columns[BYTES + CODE]];
        copy(BYTES + CODE, 2);
        memset(output, 0, cache);
        output += cache;
    }
}

/* The line table of instructions (CPython's Objects/locations.md): entries of up to eight code units. */
static void put_lines(const uint8_t *code, const uint8_t *end) {
    uint32_t size = number(SIZES + LINES);
    if (size != 0) {
        put(size - 1, 4);
        copy(BYTES + LINES, size - 1);
        return;
    }
    uint8_t *start = output;
    output += 4;
    while (code < end) {
        uint32_t instructions = number(INSTRUCTIONS), step = number(STEPS), units = 0;
        for (; instructions; instructions--) {
            uint32_t length = 1 + caches[*code];
            code += 2 * length;
            units += length;
        }
        for (int has_line = step != 0; units; step = 1) {
            uint32_t length = units < 8 ? units : 8;
            units -= length;
            *output++ = (has_line ? 0xe8 : 0xf8) | (length - 1);
            if (!has_line) continue;
            uint32_t rest = step - 1;
            for (; rest > 0x3f; rest >>= 6) *output++ = (rest & 0x3f) | 0x40;
            *output++ = rest;
        }
    }
    size = output - start - 4;
    uint8_t *after = output;
    output = start;
    put(size, 4);
    output = after;
}

static void put_object(int field) {
    static const uint8_t parts[] = {VALUE, VALUE, VALUE, LOCALS, VALUE, VALUE, VALUE};
    static const uint8_t *code, *code_end; /* of the code object that is next to have its line table */
    uint8_t kind = *columns[KINDS]++;
    int counted = kind == COUNTED;
    if (counted) kind = *columns[KINDS]++;
    if (kind == OPAQUE) {
        copy(BYTES, number(SIZES));
        return;
    }
    *output++ = kind;
    kind &= 0x7f;
    switch (kind) {
    case 'z': case 'Z': case 'u': case 'a': case 'A': case 't':
        put_string(kind, counted);
        break;
    case ')': case '(': case '[': case '<': case '>': {
        uint32_t count = number(COUNTS);
        put(count, kind == ')' ? 1 : 4);
        while (count--) put_object(VALUE);
        break;
    }
    case ':': /* a slice, which Python 3.14 and later write: where it starts and stops, and its step */
        for (int each = 0; each < 3; each++) put_object(VALUE);
        break;
    case 's':
        if (field == LINES) put_lines(code, code_end);
        else put_bytes(field);
        break;
    case 'r':
        put(number(REFERENCES), 4);
        break;
    case 'c': {
        for (int each = 0; each < 5; each++) put(number(NUMBERS + each), 4);
        const uint8_t *instructions = output + 5; /* after a kind and a size */
        put_object(CODE);
        const uint8_t *instructions_end = output;
        for (size_t part = 0; part < sizeof parts; part++) put_object(parts[part]);
        put(number(FIRST_LINES), 4);
        code = instructions, code_end = instructions_end;
        put_object(LINES);
        put_object(EXCEPTIONS);
        break;
    }
    case 'i':
        copy(VALUES, 4);
        break;
    case 'g':
        copy(VALUES, 8);
        break;
    case 'y':
        copy(VALUES, 16);
        break;
    case 'l': {
        int32_t digits;
        memcpy(&digits, columns[VALUES], 4);
        copy(VALUES, 4 + 2 * (digits < 0 ? -digits : digits));
        break;
    }
    }
}

/* How an executable is unpacked: room for its modules, then the rest of it, of which what belongs before the modules comes
   last, and then the columns. */
#define REST ((size_t)MODULES_START + MODULES_SIZE)
#define REST_SIZE ((size_t)UNPACKED - MODULES_SIZE)
#define ROOM (REST + REST_SIZE + COLUMNS_SIZE)

/* Write the modules, one after another, from their columns. */
static void put_modules(uint8_t *target) {
    const uint8_t *from = target + REST + REST_SIZE;
    for (int column = 0; column < COLUMNS; from += sizes[column++]) columns[column] = from;
    for (output = target + MODULES_START; output < target + REST;) put_object(VALUE);
}

/* Make branches in machine code relative again. */
static void relate_branches(uint8_t *code, int32_t size) {
#if defined(__x86_64__)
    for (int32_t at = 0; at + 5 <= size; at++) {
        if ((code[at] & 0xfe) != 0xe8) continue;
        int32_t target;
        memcpy(&target, code + at + 1, 4);
        if (target >= -at && target < 0) target += size;
        else if (target >= 0 && target < size) target -= at;
        memcpy(code + at + 1, &target, 4);
        at += 4;
    }
#elif defined(__aarch64__)
    for (int32_t at = 0; at + 4 <= size; at += 4) {
        uint32_t instruction;
        memcpy(&instruction, code + at, 4);
        if (instruction >> 26 == 0x25) instruction = 0x25u << 26 | ((instruction - at / 4) & 0x3ffffff);
        memcpy(code + at, &instruction, 4);
    }
#endif
}

/* Put the rest in its place. */
static void put_rest(uint8_t *target) {
    memcpy(target, target + UNPACKED, MODULES_START);
#define RELATE(start, size) relate_branches(target + (start), size);
    EACH_CODE(RELATE)
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NumPy's .npy files (numpy.lib.format): magic, version, a Python dict literal, data. What np.save writes for plain
 * little-endian arrays in C order is read; everything else is refused by name.
 */
#include <snnsim/output.h>

#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "arrays are passed through as they lie in the file: little-endian machines only"
#endif

#define HEADER_MAX 65536 /* NumPy itself refuses to parse more than 10,000 characters */

static const struct {
    const char *descr; /* what follows the byte-order character */
    size_t size;
} types[] = {
    [SNN_NPY_U8] = {"u1", 1},  [SNN_NPY_I8] = {"i1", 1},  [SNN_NPY_I16] = {"i2", 2},
    [SNN_NPY_I32] = {"i4", 4}, [SNN_NPY_I64] = {"i8", 8}, [SNN_NPY_F32] = {"f4", 4},
    [SNN_NPY_F64] = {"f8", 8}, [SNN_NPY_U16] = {"u2", 2}, [SNN_NPY_U32] = {"u4", 4},
};
#define TYPES (sizeof types / sizeof *types)

size_t snn_npy_item_size(snn_npy_type type) {
    return types[type].size;
}

const char *snn_shape_text(int dims, const uint64_t *shape, char *buf, size_t size) {
    size_t at = 0;
    snprintf(buf, size, "()"); /* a scalar, as NumPy says it */
    for (int i = 0; i < dims && at < size; i++)
        at += (size_t)snprintf(buf + at, size - at, "%s%" PRIu64, i ? " x " : "", shape[i]);
    return buf;
}

/* ---- the dict literal ---- */

typedef struct {
    const char *path;
    const char *text; /* zero-terminated */
    size_t at;
    size_t start; /* byte of the file where text begins, for messages */
    snn_error *err;
} parser;

static bool bad(parser *p, const char *expected) {
    return snn_fail(p->err, SNN_ERR_DATA, "%s: byte %zu: malformed .npy header: expected %s", p->path,
                    p->start + p->at, expected);
}

static void skip_space(parser *p) {
    while (p->text[p->at] == ' ' || p->text[p->at] == '\t' || p->text[p->at] == '\n')
        p->at++;
}

static bool take(parser *p, char c) {
    skip_space(p);
    if (p->text[p->at] != c)
        return false;
    p->at++;
    return true;
}

/* A quoted string without escapes into out. */
static bool take_string(parser *p, char *out, size_t size, const char *expected) {
    skip_space(p);
    char quote = p->text[p->at];
    if (quote != '\'' && quote != '"')
        return bad(p, expected);
    const char *from = p->text + p->at + 1, *end = strchr(from, quote);
    if (!end || (size_t)(end - from) >= size || memchr(from, '\\', (size_t)(end - from)))
        return bad(p, expected);
    memcpy(out, from, (size_t)(end - from));
    out[end - from] = '\0';
    p->at += (size_t)(end - from) + 2;
    return true;
}

static bool parse_descr(parser *p, snn_npy *h) {
    skip_space(p);
    if (p->text[p->at] == '[' || p->text[p->at] == '(')
        return snn_fail(p->err, SNN_ERR_DATA, "%s: structured arrays are not supported", p->path);
    char descr[64] = "";
    if (!take_string(p, descr, sizeof descr, "an element type"))
        return false;
    const char *name = *descr ? descr + 1 : descr;
    if (name[0] == 'O')
        return snn_fail(p->err, SNN_ERR_DATA, "%s: object arrays ('%s', pickled) are not supported", p->path,
                        descr);
    for (size_t t = 0; t < TYPES; t++) {
        if (strcmp(name, types[t].descr) != 0)
            continue;
        if (descr[0] == '<' || (descr[0] == '|' && types[t].size == 1)) {
            h->type = (snn_npy_type)t;
            return true;
        }
        if (descr[0] == '>')
            return snn_fail(p->err, SNN_ERR_DATA,
                            "%s: big-endian elements ('%s') are not supported; convert with a.astype('<%s')",
                            p->path, descr, name);
    }
    return snn_fail(
        p->err, SNN_ERR_DATA,
        "%s: element type '%s' is not supported (uint8, uint16, uint32, int8, int16, int32, int64, float32, "
        "float64, little-endian)",
        p->path, descr);
}

static bool parse_order(parser *p) {
    skip_space(p);
    if (strncmp(p->text + p->at, "False", 5) == 0) {
        p->at += 5;
        return true;
    }
    if (strncmp(p->text + p->at, "True", 4) != 0)
        return bad(p, "True or False");
    return snn_fail(p->err, SNN_ERR_DATA,
                    "%s: Fortran order is not supported; save np.ascontiguousarray(a) instead", p->path);
}

static bool parse_shape(parser *p, snn_npy *h) {
    if (!take(p, '('))
        return bad(p, "a shape in parentheses");
    h->dims = 0;
    bool comma = true;
    while (!take(p, ')')) {
        if (!comma)
            return bad(p, "',' or ')' in the shape");
        if (!isdigit((unsigned char)p->text[p->at]))
            return bad(p, "a length in the shape");
        if (h->dims == SNN_NPY_DIMS)
            return snn_fail(p->err, SNN_ERR_DATA, "%s: more than %d dimensions", p->path, SNN_NPY_DIMS);
        uint64_t n = 0;
        while (isdigit((unsigned char)p->text[p->at]))
            if (__builtin_mul_overflow(n, 10, &n) ||
                __builtin_add_overflow(n, (uint64_t)(p->text[p->at++] - '0'), &n))
                return snn_fail(p->err, SNN_ERR_DATA, "%s: a length in the shape is beyond 64 bits", p->path);
        if (p->text[p->at] == 'L') /* Python 2 */
            p->at++;
        h->shape[h->dims++] = n;
        comma = take(p, ',');
    }
    if (h->dims == 1 && !comma)
        return bad(p, "',' after the only length"); /* (3) is a number, not a shape */
    return true;
}

static bool parse_dict(parser *p, snn_npy *h) {
    bool descr = false, order = false, shape = false, comma = true;
    if (!take(p, '{'))
        return bad(p, "'{'");
    while (!take(p, '}')) {
        char key[32];
        if (!comma)
            return bad(p, "',' or '}'");
        if (!take_string(p, key, sizeof key, "a key ('descr', 'fortran_order', 'shape')"))
            return false;
        bool *seen = strcmp(key, "descr") == 0           ? &descr
                     : strcmp(key, "fortran_order") == 0 ? &order
                     : strcmp(key, "shape") == 0         ? &shape
                                                         : NULL;
        if (!seen || *seen)
            return bad(p, "each of the keys 'descr', 'fortran_order', 'shape' once");
        *seen = true;
        if (!take(p, ':'))
            return bad(p, "':'");
        if (!(seen == &descr ? parse_descr(p, h) : seen == &order ? parse_order(p) : parse_shape(p, h)))
            return false;
        comma = take(p, ',');
    }
    if (!descr || !order || !shape)
        return bad(p, "the keys 'descr', 'fortran_order', 'shape'");
    skip_space(p);
    return p->text[p->at] == '\0' || bad(p, "nothing after the dict");
}

/* ---- the file ---- */

/* n bytes at `at`; false at the end of the file or on an error. */
static bool read_at(int fd, void *out, size_t n, uint64_t at) {
    uint8_t *to = out;
    while (n) {
        ssize_t got = pread(fd, to, n, (off_t)at);
        if (got <= 0)
            return false;
        to += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return true;
}

/* Magic, version and length of the dict; h->offset is set. */
static bool read_preamble(int fd, const char *path, size_t *start, snn_npy *h, snn_error *err) {
    uint8_t b[12] = {0};
    if (!read_at(fd, b, 10, 0) || memcmp(b, "\x93NUMPY", 6) != 0)
        return snn_fail(
            err, SNN_ERR_DATA, "%s: not a NumPy .npy file%s", path,
            memcmp(b, "PK\x03\x04", 4) == 0 ? " but a zip archive (.npz): save one array with np.save" : "");
    if (b[6] < 1 || b[6] > 3 || b[7] != 0)
        return snn_fail(err, SNN_ERR_DATA, "%s: .npy version %d.%d is not supported (1.0, 2.0, 3.0)", path,
                        b[6], b[7]);
    *start = b[6] == 1 ? 10 : 12;
    if (b[6] > 1 && !read_at(fd, b + 10, 2, 10))
        return snn_fail(err, SNN_ERR_DATA, "%s: truncated in the .npy header", path);
    uint32_t length = (uint32_t)b[8] | (uint32_t)b[9] << 8;
    if (b[6] > 1)
        length |= (uint32_t)b[10] << 16 | (uint32_t)b[11] << 24;
    if (length > HEADER_MAX)
        return snn_fail(err, SNN_ERR_DATA, "%s: .npy header of %" PRIu32 " bytes is longer than %d", path,
                        length, HEADER_MAX);
    h->offset = *start + length;
    return true;
}

static bool read_dict(int fd, const char *path, size_t start, snn_npy *h, snn_error *err) {
    size_t length = (size_t)h->offset - start;
    char *text = malloc(length + 1);
    if (!text)
        return snn_fail(err, SNN_ERR_RUNTIME, "%s: out of memory", path);
    bool ok = read_at(fd, text, length, start) ||
              snn_fail(err, SNN_ERR_DATA, "%s: truncated in the .npy header", path);
    text[length] = '\0';
    if (ok && strlen(text) != length)
        ok = snn_fail(err, SNN_ERR_DATA, "%s: byte %zu: malformed .npy header: zero byte", path,
                      start + strlen(text));
    parser p = {path, text, 0, start, err};
    ok = ok && parse_dict(&p, h);
    free(text);
    return ok;
}

static bool check_size(int fd, const char *path, snn_npy *h, snn_error *err) {
    struct stat st;
    if (fstat(fd, &st) != 0)
        return snn_fail_errno(err, "%s: cannot read", path);
    bool zero = false;
    for (int i = 0; i < h->dims; i++)
        zero |= h->shape[i] == 0;
    uint64_t count = 1, bytes;
    bool overflow = false;
    for (int i = 0; i < h->dims; i++)
        overflow |= __builtin_mul_overflow(count, h->shape[i], &count);
    if (zero)
        count = 0, overflow = false;
    overflow |= __builtin_mul_overflow(count, snn_npy_item_size(h->type), &bytes);
    overflow |= __builtin_add_overflow(bytes, h->offset, &bytes);
    if (overflow || bytes > INT64_MAX)
        return snn_fail(err, SNN_ERR_DATA, "%s: the shape announces more than 2^63 bytes", path);
    if ((uint64_t)st.st_size != bytes)
        return snn_fail(err, SNN_ERR_DATA, "%s: %jd bytes, but the header announces %" PRIu64 " (%s)", path,
                        (intmax_t)st.st_size, bytes, (uint64_t)st.st_size < bytes ? "truncated" : "too long");
    h->count = count;
    return true;
}

static int open_regular(const char *path, snn_error *err) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        snn_fail_errno(err, "%s: cannot open", path);
        if (err)
            err->code = SNN_ERR_DATA;
        return -1;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        snn_fail(err, SNN_ERR_DATA, "%s: is not a regular file", path);
        close(fd);
        return -1;
    }
    return fd;
}

bool snn_npy_open(const char *path, snn_npy *header, snn_error *err) {
    memset(header, 0, sizeof *header);
    int fd = open_regular(path, err);
    if (fd < 0)
        return false;
    size_t start = 0;
    bool ok = read_preamble(fd, path, &start, header, err) && read_dict(fd, path, start, header, err) &&
              check_size(fd, path, header, err);
    close(fd);
    return ok;
}

bool snn_npy_read(const char *path, const snn_npy *header, uint64_t first, uint64_t n, void *out,
                  snn_error *err) {
    if (first > header->count || n > header->count - first)
        return snn_fail(err, SNN_ERR_DATA,
                        "%s: items %" PRIu64 " to %" PRIu64 " asked for, but the array has %" PRIu64, path,
                        first, first + n, header->count);
    if (n == 0)
        return true;
    int fd = open_regular(path, err);
    if (fd < 0)
        return false;
    uint64_t size = snn_npy_item_size(header->type);
    bool ok = read_at(fd, out, (size_t)(n * size), header->offset + first * size) ||
              snn_fail(err, SNN_ERR_DATA, "%s: cannot read %" PRIu64 " bytes at byte %" PRIu64, path,
                       n * size, header->offset + first * size);
    close(fd);
    return ok;
}

bool snn_npy_write_header(snn_file *f, snn_npy_type type, int dims, const uint64_t *shape, snn_error *err) {
    char dict[512];
    if (dims < 0 || dims > SNN_NPY_DIMS)
        return snn_fail(err, SNN_ERR_RUNTIME, "NumPy array of %d dimensions (0 to %d)", dims, SNN_NPY_DIMS);
    int used = snprintf(dict, sizeof dict, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                        snn_npy_item_size(type) == 1 ? '|' : '<', types[type].descr);
    for (int i = 0; i < dims; i++)
        used += snprintf(dict + used, sizeof dict - (size_t)used, "%s%" PRIu64 "%s", i ? ", " : "", shape[i],
                         dims == 1 ? "," : "");
    used += snprintf(dict + used, sizeof dict - (size_t)used, "), }");
    /* Spaces and a newline make the data start at a multiple of 64. */
    int total = (10 + used + 1 + 63) / 64 * 64;
    FILE *out = snn_file_stream(f);
    fwrite("\x93NUMPY\x01\x00", 1, 8, out);
    fputc((total - 10) & 0xff, out);
    fputc((total - 10) >> 8, out);
    fprintf(out, "%s%*s\n", dict, total - 10 - used - 1, "");
    if (ferror(out))
        return snn_fail_errno(err, "cannot write '%s'", snn_file_temporary(f));
    return true;
}

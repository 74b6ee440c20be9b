/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Model files that are sound HDF5 but hold anything: the input is a list of changes to a good model, made through HDF5 (bytes changed at random would
 * only test libhdf5). What is accepted must be a model that can be saved and loaded again to the same digest.
 */
#include <snnsim/digest.h>
#include <snnsim/model.h>

#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *at, *end;
} input;

static unsigned take(input *in) {
    return in->at < in->end ? *in->at++ : 0;
}

static const char *const objects[] = {"/snnsim",
                                      "/snnsim/network",
                                      "/snnsim/record",
                                      "/snnsim/weights",
                                      "/snnsim/scales",
                                      "/snnsim/weights/c",
                                      "/snnsim/weights/f",
                                      "/snnsim/weights/more",
                                      "/snnsim/scales/c",
                                      "/snnsim/scales/f",
                                      "/"};
static const char *const attributes[] = {"format",        "digest", "network_digest",
                                         "record_digest", "bits",   "encoding"};
#define PICK(list, in) (list)[take(in) % (sizeof(list) / sizeof(list)[0])]

/* ---- changes ---- */

static void new_type(input *in, hid_t *type, bool *own) {
    const hid_t types[] = {H5T_STD_U8LE,  H5T_STD_U16LE,   H5T_IEEE_F32LE, H5T_STD_U8LE,
                           H5T_STD_I8LE,  H5T_STD_U32BE,   H5T_IEEE_F64LE, H5T_IEEE_F32BE,
                           H5T_STD_U16BE, H5T_STD_REF_OBJ, H5T_C_S1};
    unsigned k = take(in) % 14;
    *own = k >= 11;
    if (!*own) {
        *type = types[k];
    } else if (k == 11) {
        *type = H5Tcopy(H5T_C_S1);
        H5Tset_size(*type, H5T_VARIABLE);
    } else if (k == 12) {
        *type = H5Tcreate(H5T_COMPOUND, 8);
        H5Tinsert(*type, "a", 0, H5T_STD_U8LE);
    } else {
        *type = H5Tcopy(H5T_STD_U8LE);
        H5Tset_precision(*type, 5);
    }
}

static hid_t new_space(input *in, hsize_t dims[8], int *rank) {
    static const hsize_t sizes[] = {1, 2, 3, 4, 5, 12, 0, 1u << 31, 1ull << 40, UINT64_MAX / 2};
    unsigned kind = take(in) % 8;
    *rank = 0;
    if (kind == 7)
        return H5Screate(H5S_NULL);
    if (kind == 6)
        return H5Screate(H5S_SCALAR);
    if (kind < 2) { /* the right shapes */
        const hsize_t right[2][4] = {{3, 2, 2, 2}, {5, 12, 1, 1}};
        *rank = kind == 0 ? 4 : 2;
        memcpy(dims, right[kind], sizeof right[kind]);
    } else {
        *rank = (int)(take(in) % 8) + 1;
        for (int i = 0; i < *rank; i++)
            dims[i] = PICK(sizes, in);
    }
    return H5Screate_simple(*rank, dims, NULL);
}

static hid_t new_storage(input *in, int rank, const hsize_t *dims, hid_t space) {
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t chunk[8];
    unsigned kind = take(in) % 8;
    for (int i = 0; i < rank; i++)
        chunk[i] = dims[i] < 4 ? dims[i] : 4;
    if (kind >= 1 && kind <= 4 && rank > 0)
        H5Pset_chunk(p, rank, chunk);
    if (kind == 2)
        H5Pset_deflate(p, 6);
    if (kind == 3)
        H5Pset_fletcher32(p);
    if (kind == 4)
        H5Pset_nbit(p);
    if (kind == 5)
        H5Pset_layout(p, H5D_COMPACT);
    if (kind == 6)
        H5Pset_external(p, "/dev/null", 0, 60);
    if (kind == 7)
        H5Pset_virtual(p, space, "/dev/null", "/x", space);
    return p;
}

static void replace(hid_t file, input *in) {
    const char *name = PICK(objects, in);
    hsize_t dims[8];
    hid_t type;
    bool own;
    int rank;
    new_type(in, &type, &own);
    hid_t space = new_space(in, dims, &rank), storage = new_storage(in, rank, dims, space);
    H5Ldelete(file, name, H5P_DEFAULT);
    hid_t d = H5Dcreate2(file, name, type, space, H5P_DEFAULT, storage, H5P_DEFAULT);
    bool small = H5Sget_simple_extent_type(space) != H5S_NULL && rank <= 4;
    for (int i = 0; i < rank; i++) /* data[] holds 12 x 12 or 3 x 3 x 3 x 3 doubles */
        small = small && dims[i] > 0 && dims[i] <= (rank <= 2 ? 12 : 3);
    if (d >= 0 && small && H5Tget_class(type) != H5T_STRING && H5Tget_class(type) != H5T_REFERENCE) {
        uint8_t data[1600];
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)take(in);
        H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    }
    H5Dclose(d);
    H5Pclose(storage);
    H5Sclose(space);
    if (own)
        H5Tclose(type);
}

static void set_attribute(hid_t file, input *in) {
    hid_t object = H5Oopen(file, PICK(objects, in), H5P_DEFAULT);
    const char *name = PICK(attributes, in);
    H5Adelete(object, name);
    unsigned kind = take(in) % 4;
    if (kind > 0) {
        static const char *const words[] = {"sign_magnitude", "twos_complement", "offset_binary", "", "gray"};
        char text[300] = {0};
        hid_t type = kind == 1 ? H5Tcopy(H5T_STD_I32LE) : H5Tcopy(H5T_C_S1);
        if (kind == 1)
            text[0] = (char)take(in);
        else if (kind == 2)
            strcpy(text, PICK(words, in));
        else
            memset(text, 'x', take(in));
        if (kind != 1)
            H5Tset_size(type, text[0] ? strlen(text) : 1);
        hid_t space = H5Screate(take(in) % 8 == 7 ? H5S_NULL : H5S_SCALAR);
        hid_t a = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(a, type, text);
        H5Aclose(a);
        H5Sclose(space);
        H5Tclose(type);
    }
    H5Oclose(object);
}

static void relink(hid_t file, input *in) {
    const char *name = PICK(objects, in), *target = PICK(objects, in);
    switch (take(in) % 5) {
    case 0:
        H5Ldelete(file, name, H5P_DEFAULT);
        break;
    case 1:
        H5Ldelete(file, name, H5P_DEFAULT);
        H5Lcreate_soft(target, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 2:
        H5Ldelete(file, name, H5P_DEFAULT);
        H5Lcreate_external("/dev/null", target, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    case 3:
        H5Lcreate_hard(file, target, file, name, H5P_DEFAULT, H5P_DEFAULT);
        break;
    default:
        H5Ldelete(file, name, H5P_DEFAULT);
        H5Gclose(H5Gcreate2(file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    }
}

/* A text of the input's next bytes (or, with hashed, its digest as an attribute too, so that the reader goes on to what the text says). */
static void set_text(hid_t file, input *in) {
    char text[4096];
    bool network = take(in) & 1, hashed = take(in) % 4 != 0;
    size_t n = take(in) * 16u;
    if (n > (size_t)(in->end - in->at))
        n = (size_t)(in->end - in->at);
    memcpy(text, in->at, n);
    in->at += n;
    const char *name = network ? "/snnsim/network" : "/snnsim/record";
    H5Ldelete(file, name, H5P_DEFAULT);
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, n ? n : 1);
    hid_t d = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    text[n ? n : 0] = '\0';
    H5Dwrite(d, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
    H5Dclose(d);
    H5Tclose(type);
    if (hashed) {
        snn_digest digest;
        uint8_t out[SNN_DIGEST_BYTES];
        char hex[SNN_DIGEST_HEX];
        snn_digest_init(&digest);
        snn_digest_bytes(&digest, text, strlen(text));
        snn_digest_final(&digest, out);
        snn_digest_hex(out, hex);
        hid_t group = H5Oopen(file, "/snnsim", H5P_DEFAULT);
        const char *attribute = network ? "network_digest" : "record_digest";
        H5Adelete(group, attribute);
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, 64);
        hid_t a = H5Acreate2(group, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(a, type, hex);
        H5Aclose(a);
        H5Tclose(type);
        H5Oclose(group);
    }
    H5Sclose(space);
}

/* ---- the target ---- */

/* The good model: conv 3x2x2x2 of 5 bits with a scale per channel, linear 5x12 of 8. */
static void save_base(const char *path) {
    static const char json[] = "{\"format\":1,\"input\":[2,5,5],\"steps\":3,\"step_us\":0,\"layers\":[{"
                               "\"name\":\"c\",\"type\":\"conv2d\",\"channels\":3,"
                               "\"kernel\":2,\"stride\":1,\"padding\":0,\"bias\":[1,2,3],\"neuron\":{"
                               "\"type\":\"lif\",\"decay\":0.5,\"threshold\":1,"
                               "\"reset\":\"zero\",\"at_threshold\":false,\"gain\":1}},{\"name\":\"p\","
                               "\"type\":\"pool_max\",\"kernel\":2,\"stride\":2},"
                               "{\"name\":\"f\",\"type\":\"linear\",\"outputs\":5,\"neuron\":{\"type\":"
                               "\"li\",\"decay\":0.5,\"threshold\":1,\"reset\":"
                               "\"zero\",\"at_threshold\":false,\"gain\":1}}]}";
    char record[] = "{}";
    snn_error err;
    snn_model m = {.net = snn_net_from_json(json, "base", &err), .record = record};
    snn_weights *w = m.net ? snn_weights_new(m.net, &err) : NULL;
    snn_quantisation q = {.bits = 5, .per_channel = true};
    m.weights = w ? snn_weights_quantise(w, &q, NULL, &err) : NULL;
    if (!m.weights || !snn_model_save(&m, path, &err))
        abort();
    m.record = NULL;
    snn_weights_free(w);
    snn_model_free(&m);
}

/* The changed file's bytes into the descriptor. Its user block is left out: with it, every change would end at its digest. */
static void write_changed(int fd, const uint8_t *base, size_t base_size, input *in) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    H5Pset_fapl_core(access, 4096, 0);
    H5Pset_file_image(access, (void *)(uintptr_t)base, base_size);
    hid_t file = H5Fopen("fuzz", H5F_ACC_RDWR, access);
    H5Pclose(access);
    if (file < 0)
        abort();
    for (int changes = 0; changes < 8 && in->at < in->end; changes++) {
        unsigned op = take(in) % 4;
        if (op == 0)
            replace(file, in);
        else if (op == 1)
            set_attribute(file, in);
        else if (op == 2)
            relink(file, in);
        else
            set_text(file, in);
    }
    H5Fflush(file, H5F_SCOPE_GLOBAL);
    ssize_t n = H5Fget_file_image(file, NULL, 0);
    uint8_t *image = malloc((size_t)n);
    if (!image || H5Fget_file_image(file, image, (size_t)n) != n || write(fd, image, (size_t)n) != n)
        abort();
    free(image);
    H5Fclose(file);
}

static size_t read_base(uint8_t *data, size_t room) {
    char name[] = "/tmp/snnsim_fuzz_XXXXXX";
    snn_error err;
    int fd = mkstemp(name);
    if (fd < 0)
        abort();
    close(fd);
    save_base(name);
    FILE *f = fopen(name, "rb");
    size_t n = f && fseek(f, 512, SEEK_SET) == 0 ? fread(data, 1, room, f) : 0;
    if (n == 0 || n == room)
        abort();
    fclose(f);
    unlink(name);
    (void)err;
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t base[65536];
    static size_t base_size;
    input in = {data, data + size};
    char path[64];
    snn_error err = {0};
    snn_model m;
    if (base_size == 0) {
        base_size = read_base(base, sizeof base);
        H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    }
    int fd = memfd_create("model", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    write_changed(fd, base, base_size, &in);
    if (snn_model_load(&m, path, &err)) {
        char digest[65];
        snn_weights_digest(m.weights, digest);
        if (strcmp(digest, m.digest) != 0 || !snn_weights_fit(m.weights, m.net, &err))
            abort();
        for (int i = 0; i < m.weights->tensors; i++)
            for (uint64_t k = 0; k < m.weights->tensor[i].count; k++)
                snn_weight_value(&m.weights->tensor[i], k);
        snn_model_free(&m);
    } else if (err.code != SNN_ERR_DATA || m.net != NULL) {
        abort();
    }
    close(fd);
    return 0;
}

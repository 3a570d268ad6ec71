/* A decoder of photos in a made-up format, as a shim would look like: what it "decodes" to depends on every byte of the
 * photo. The settings choose a fault of the picture. */
#include "kiosk_vendor.h"

#include <string.h>
#include <unistd.h>

enum { WIDTH = 102, HEIGHT = 126 };

static char fault;

uint32_t kiosk_vendor_abi(void) {
    return KIOSK_VENDOR_ABI;
}

int32_t kiosk_vendor_identity(uint8_t *out, uint32_t out_capacity, uint32_t *out_length) {
    if (out_capacity < 14)
        return KIOSK_VENDOR_TOO_SMALL;
    memcpy(out, "made-up photos", 14);
    *out_length = 14;
    return KIOSK_VENDOR_OK;
}

int32_t kiosk_vendor_open(const uint8_t *settings, uint32_t settings_length) {
    fault = settings_length > 0 ? (char)settings[0] : 0;
    return fault == 'n' ? KIOSK_VENDOR_NOT_CONNECTED : KIOSK_VENDOR_OK;
}

int32_t kiosk_vendor_call(uint32_t verb, const uint8_t *in, uint32_t in_length, uint8_t *out, uint32_t out_capacity,
                          uint32_t *out_length) {
    volatile int *volatile nowhere = NULL;
    uint32_t length = 4 + WIDTH * HEIGHT * 3;

    if (verb != KIOSK_VENDOR_DECODE_PHOTO)
        return KIOSK_VENDOR_UNKNOWN_VERB;
    if (in_length != 1024 || memcmp(in, "WLf", 3) != 0)
        return KIOSK_VENDOR_BAD_INPUT;
    if (out_capacity < length)
        return KIOSK_VENDOR_TOO_SMALL;
    if (fault == 'c')
        *nowhere = 1;
    while (fault == 'h')
        pause();
    out[0] = 0, out[1] = WIDTH, out[2] = 0, out[3] = HEIGHT;
    for (uint32_t at = 0; at < WIDTH * HEIGHT * 3; at++)
        out[4 + at] = (uint8_t)(in[at % in_length] + at / in_length);
    *out_length = fault == 's' ? length - 1 : length;
    return KIOSK_VENDOR_OK;
}

void kiosk_vendor_close(void) {
}

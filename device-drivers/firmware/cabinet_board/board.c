// The protocol of docs/CABINET_BOARD.md, version 1, from the board's side.
#include "board.h"

#include <string.h>

enum { VERSION = 1, MAX_PAYLOAD = 32, MAX_FRAME = 40, QUIET_MS = 50 };
enum { HELLO = 0x01, STATUS = 0x02, SET_LIGHT = 0x03, SELF_TEST = 0x04, ANSWER = 0x80, REFUSED = 0xFF };
enum { UNKNOWN_REQUEST = 1, WRONG_LENGTH = 2, NO_SUCH_LIGHT = 3, IMPOSSIBLE_VALUE = 4, OTHER_VERSION = 5 };
enum { OFF, ON, SLOW, FAST };
enum { PRESENCE_MS = 200, DOOR_MS = 50, MAX_LEASE = 6000 };

typedef struct {
  uint8_t pattern, safe;
  uint32_t lease_ms;
} Light;

// An input that is believed when its level has held.
typedef struct {
  bool level, stable;
  uint32_t since;
  uint16_t edges;
} Input;

static uint8_t buffer[MAX_FRAME];
static uint8_t filled;
static uint32_t last_byte, last_heard;
static uint16_t boot_number;
static bool inputs_known;
static Light lights[BOARD_LIGHTS];
static Input presence, doors[BOARD_DOORS];

static uint16_t crc16(const uint8_t *bytes, uint8_t count) {
  uint16_t crc = 0xFFFF;
  while (count--) {
    crc ^= *bytes++;
    for (uint8_t bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1;
  }
  return crc;
}

static void answer(uint8_t sequence, uint8_t kind, const uint8_t *payload, uint8_t count) {
  uint8_t frame[MAX_FRAME] = {0x55, 0xAA, (uint8_t)(3 + count), VERSION, sequence, kind};
  if (count) memcpy(frame + 6, payload, count);
  uint16_t crc = crc16(frame + 2, 4 + count);
  frame[6 + count] = crc & 0xFF;
  frame[7 + count] = crc >> 8;
  board_send(frame, 8 + count);
}

static void refuse(uint8_t sequence, uint8_t code) { answer(sequence, REFUSED, &code, 1); }

static bool has_run_out(const Light *light, uint32_t now) { return now - last_heard >= light->lease_ms; }

// Any request that is not refused starts all leases anew; one that has run out stays so.
static void hear_the_host(uint32_t now) {
  for (uint8_t n = 0; n < BOARD_LIGHTS; n++)
    if (has_run_out(&lights[n], now)) lights[n].pattern = lights[n].safe;
  last_heard = now;
}

static void say_hello(uint8_t sequence) {
  uint8_t name = strlen(BOARD_NAME);
  uint32_t serial = BOARD_SERIAL;
  uint8_t payload[MAX_PAYLOAD] = {serial & 0xFF, serial >> 8 & 0xFF, serial >> 16 & 0xFF, serial >> 24,
                                  1, 0, boot_number & 0xFF, boot_number >> 8,
                                  BOARD_HAS_PRESENCE_SENSOR, BOARD_LIGHTS, BOARD_DOORS};
  memcpy(payload + 11, BOARD_NAME, name);
  answer(sequence, HELLO | ANSWER, payload, 11 + name);
}

static void say_status(uint8_t sequence) {
  uint8_t payload[MAX_PAYLOAD] = {boot_number & 0xFF, boot_number >> 8};
  payload[2] = BOARD_HAS_PRESENCE_SENSOR ? presence.stable : 0xFF;
  for (uint8_t n = 0; n < BOARD_DOORS; n++) {
    payload[3] |= doors[n].stable << n;
    payload[4 + 2 * n] = doors[n].edges & 0xFF;
    payload[5 + 2 * n] = doors[n].edges >> 8;
  }
  answer(sequence, STATUS | ANSWER, payload, 4 + 2 * BOARD_DOORS);
}

static void set_light(uint8_t sequence, const uint8_t *payload, uint32_t now) {
  uint16_t lease = payload[3] | (uint16_t)payload[4] << 8;
  bool sound = payload[1] <= FAST && payload[2] <= FAST && lease > 0 && lease <= MAX_LEASE;
  if (!sound) return refuse(sequence, IMPOSSIBLE_VALUE);
  if (payload[0] >= BOARD_LIGHTS) return refuse(sequence, NO_SUCH_LIGHT);
  hear_the_host(now);
  lights[payload[0]] = (Light){payload[1], payload[2], lease * 100UL};
  answer(sequence, SET_LIGHT | ANSWER, payload, 2);
}

static void obey(const uint8_t *frame, uint8_t payload, uint32_t now) {
  uint8_t sequence = frame[4], kind = frame[5];
  if (frame[3] != VERSION) return refuse(sequence, OTHER_VERSION);
  if (kind < HELLO || kind > SELF_TEST) return refuse(sequence, UNKNOWN_REQUEST);
  if (payload != (kind == SET_LIGHT ? 5 : 0)) return refuse(sequence, WRONG_LENGTH);
  if (kind == SET_LIGHT) return set_light(sequence, frame + 6, now);
  hear_the_host(now);
  if (kind == HELLO) say_hello(sequence);
  if (kind == STATUS) say_status(sequence);
  if (kind == SELF_TEST) {
    uint8_t found = board_self_test();
    answer(sequence, SELF_TEST | ANSWER, &found, 1);
  }
}

static void drop(uint8_t count) {
  filled -= count;
  memmove(buffer, buffer + count, filled);
}

void board_receive(uint8_t byte, uint32_t now) {
  if (filled && now - last_byte >= QUIET_MS) filled = 0;
  last_byte = now;
  buffer[filled++] = byte;
  while (filled) {
    if (buffer[0] != 0x55 || (filled > 1 && buffer[1] != 0xAA)) {
      drop(1);
      continue;
    }
    if (filled < 3) return;
    uint8_t length = buffer[2];
    if (length < 3 || length > 3 + MAX_PAYLOAD) {
      drop(2);
      continue;
    }
    if (filled < length + 5) return;
    uint16_t crc = crc16(buffer + 2, 1 + length);
    if (buffer[length + 3] != (crc & 0xFF) || buffer[length + 4] != crc >> 8) {
      drop(2);
      continue;
    }
    obey(buffer, length - 3, now);
    drop(length + 5);
  }
}

static void debounce(Input *input, bool level, uint32_t now, uint32_t hold_ms) {
  if (level != input->level) {
    input->level = level;
    input->since = now;
  }
  if (input->level != input->stable && now - input->since >= hold_ms) {
    input->stable = input->level;
    input->edges++;
  }
}

void board_tick(uint32_t now, bool near, uint8_t open) {
  if (!inputs_known) {
    // How things stand at the start is no edge.
    presence.level = presence.stable = near;
    for (uint8_t n = 0; n < BOARD_DOORS; n++) doors[n].level = doors[n].stable = open >> n & 1;
    inputs_known = true;
  }
  debounce(&presence, near, now, PRESENCE_MS);
  for (uint8_t n = 0; n < BOARD_DOORS; n++) debounce(&doors[n], open >> n & 1, now, DOOR_MS);
  // What has run out becomes safe for good, before the clock comes round and the lease seems to run again.
  for (uint8_t n = 0; n < BOARD_LIGHTS; n++)
    if (has_run_out(&lights[n], now)) lights[n].pattern = lights[n].safe;
}

bool board_is_lit(uint8_t light, uint32_t now) {
  switch (lights[light].pattern) {
    case ON: return true;
    case SLOW: return now / 1000 % 2 == 0;
    case FAST: return now / 200 % 2 == 0;
    default: return false;
  }
}

void board_start(uint16_t boot) {
  boot_number = boot;
  filled = 0;
  inputs_known = false;
  memset(lights, 0, sizeof lights);
  memset(doors, 0, sizeof doors);
  memset(&presence, 0, sizeof presence);
}

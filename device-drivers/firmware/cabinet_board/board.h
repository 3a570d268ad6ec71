// A cabinet board, all but its pins: see docs/CABINET_BOARD.md. Plain C, no memory but what stands in board.c.
#ifndef CABINET_BOARD_H
#define CABINET_BOARD_H

#include <stdbool.h>
#include <stdint.h>

// What this board has.
#define BOARD_SERIAL 1
#define BOARD_NAME "arduino"
#define BOARD_LIGHTS 3
#define BOARD_DOORS 2
#define BOARD_HAS_PRESENCE_SENSOR 1

#ifdef __cplusplus
extern "C" {
#endif

// Call once, with a number that was not used at the start before.
void board_start(uint16_t boot);
// Call for each byte from the line. `now` is in milliseconds and may turn over, as millis() does.
void board_receive(uint8_t byte, uint32_t now);
// Call all the time, with the levels of the inputs: bit n of `doors` is set while door n is open.
void board_tick(uint32_t now, bool near, uint8_t doors);
// Whether light `light` is lit at this moment.
bool board_is_lit(uint8_t light, uint32_t now);

// The program around it provides these two.
void board_send(const uint8_t *bytes, uint8_t count);
uint8_t board_self_test(void);

#ifdef __cplusplus
}
#endif
#endif

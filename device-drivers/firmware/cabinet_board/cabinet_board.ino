// A cabinet board made of an Arduino: pins, line and the number of its start. All else is in board.c.
#include <EEPROM.h>

#include "board.h"

// Doors: contacts that are closed while the door is closed, from the pin to GND. Sensor: high while somebody is near.
const uint8_t DOOR_PINS[BOARD_DOORS] = {4, 5};
const uint8_t LIGHT_PINS[BOARD_LIGHTS] = {9, 10, 11};
const uint8_t PRESENCE_PIN = 2;

void board_send(const uint8_t *bytes, uint8_t count) { Serial.write(bytes, count); }

// Nothing here can be measured; a board with a better idea says so in these bits.
uint8_t board_self_test(void) { return 0; }

void setup() {
  for (uint8_t pin : DOOR_PINS) pinMode(pin, INPUT_PULLUP);
  for (uint8_t pin : LIGHT_PINS) pinMode(pin, OUTPUT);
  pinMode(PRESENCE_PIN, INPUT);
  uint16_t boot;
  EEPROM.get(0, boot);
  EEPROM.put(0, ++boot);
  board_start(boot);
  Serial.begin(115200);
}

void loop() {
  uint32_t now = millis();
  uint8_t open = 0;
  for (uint8_t n = 0; n < BOARD_DOORS; n++) open |= digitalRead(DOOR_PINS[n]) << n;
  board_tick(now, digitalRead(PRESENCE_PIN), open);
  while (Serial.available()) board_receive(Serial.read(), now);
  for (uint8_t n = 0; n < BOARD_LIGHTS; n++) digitalWrite(LIGHT_PINS[n], board_is_lit(n, now));
}

//! The wall clock may be anything; it refuses nothing and stops nothing.

use super::*;

const YEAR_MS: i64 = 365 * DAY_MS;

#[tokio::test]
async fn ten_years_ahead_and_back_again_stops_nothing() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    for (number, wall_ms) in
        [(1, NOW + 10 * YEAR_MS), (2, NOW - 10 * YEAR_MS), (3, 0), (4, i64::MAX), (5, NOW)]
    {
        if number > 1 {
            city.publish(number as u32).await;
        }
        let outcome = terminal.keeper().update(&city.source(), clocks(wall_ms)).await.unwrap();
        assert_eq!(outcome, Outcome::Switched(number), "with the clock at {wall_ms}");
        assert_eq!(terminal.status().stale_days, 0, "an implausible clock shows no banner either");
    }
}

#[tokio::test]
async fn a_year_without_the_city_ends_with_a_usb_stick() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    terminal.look_at(&city.source(), NOW).await.unwrap();
    let keeper = terminal.keeper();
    keeper.grow_older(clocks(NOW + YEAR_MS));
    assert_eq!(terminal.status().stale_days, 336, "a plausible clock counts for the banner");
    city.publish_at(2, NOW + 300 * DAY_MS).await;
    let looked = terminal.keeper().update(&city.source(), clocks(NOW + YEAR_MS)).await;
    assert_eq!(looked.unwrap(), Outcome::Switched(2), "nobody knows for certain that it expired");
}

#[tokio::test]
async fn one_wrong_word_of_the_city_is_forgotten_with_its_next() {
    let city = City::new();
    city.publish(1).await;
    let terminal = city.terminal();
    assert_eq!(code(terminal.look_at(&city.source(), NOW + 10 * YEAR_MS).await), "expired");
    assert_eq!(code(terminal.look(&city.source()).await), "expired", "remembered over a restart");
    assert_eq!(terminal.look_at(&city.source(), NOW).await.unwrap(), Outcome::Switched(1));
}

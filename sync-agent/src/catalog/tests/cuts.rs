//! The power goes after every single step on the disk. Before: the old catalog, whole. After: the old or the new one,
//! whole, and the next try succeeds.

use super::*;

#[tokio::test]
async fn the_power_goes_after_every_step_of_an_update() {
    let city = City::new();
    fs::write(city.path("catalog/readme.txt"), "two files, so that one can be there without the other")
        .unwrap();
    city.publish(1).await;
    let first = city.kept("first");
    city.publish(2).await;
    let mut seen = [0, 0];
    for steps in 0..60 {
        let terminal = city.terminal();
        terminal.look(&Source::folder(&first)).await.unwrap();
        let mut keeper = terminal.keeper_on(Disk::losing_power_after(steps));
        let outcome = keeper.update(&city.source(), clocks(NOW)).await;
        drop(keeper);
        let version = terminal.item_version().expect("there is always a catalog");
        seen[version as usize - 1] += 1;
        assert!(outcome.is_err() || version == 2, "after {steps} steps");
        let again = terminal.look(&city.source()).await.unwrap();
        assert_eq!(terminal.item_version(), Some(2), "after {steps} steps and another try ({again:?})");
        assert_eq!(code(terminal.look(&Source::folder(&first)).await), "older", "after {steps} steps");
        assert_eq!(terminal.versions(), ["1", "2"], "nothing is left lying about after {steps} steps");
    }
    assert!(seen[0] > 20 && seen[1] > 20, "cuts on both sides of the switch: {seen:?}");
}

#[tokio::test]
async fn the_power_goes_after_every_step_of_the_first_catalog() {
    let city = City::new();
    city.publish(1).await;
    for steps in 0..60 {
        let terminal = city.terminal();
        let mut keeper = terminal.keeper_on(Disk::losing_power_after(steps));
        let outcome = keeper.update(&city.source(), clocks(NOW)).await;
        assert!(outcome.is_err() || terminal.item_version() == Some(1));
        terminal.item_version();
        terminal.look(&city.source()).await.unwrap();
        assert_eq!(terminal.item_version(), Some(1), "after {steps} steps and another try");
    }
}

//! `devctl social-security-card` through a real `pcscd` with the virtual reader.

use crate::pcscd::with_pcscd;
use crate::run::{Simulated, run};

#[test]
fn a_card_in_the_virtual_reader_is_listed_and_read_masked() {
    with_pcscd("social_security_card::a_card_in_the_virtual_reader_is_listed_and_read_masked", |pcscd| {
        let mut slot = Simulated::start(&format!("social-security-card --empty --vpcd {}", pcscd.reader()));
        let ask = |verb: &str| run(&format!("social-security-card {verb}"));
        let told = ask("list").good();
        assert!(told.fact("reader").contains("Virtual"), "{told:?}");
        assert_eq!(told.fact("card"), "none");
        ask("read").refused("ask-citizen lay-card");
        slot.order("insert");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while ask("list").good().fact("card") == "none" {
            assert!(std::time::Instant::now() < deadline, "pcscd notices the card");
        }
        let told = ask("--reader Virtual read").good();
        assert_eq!((told.fact("card"), told.fact("name")), ("社会保障卡 2.00", "测*"));
        assert_eq!(told.fact("number"), "990***********1008");
        assert!(told.fact("filled").starts_with("number name sex"), "{told:?}");
        told.hides(&["测试样本", "990001199001011008", "ZZ0000001", "19900101"]);
        ask("--reader Nobody's read").refused("call-operator social-security-reader-gone");
        pcscd.stop();
        ask("list").refused("call-operator social-security-reader-gone");
    });
}

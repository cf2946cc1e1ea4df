//! placeholder
#[test]
fn loads() {
    super::load().unwrap();
}

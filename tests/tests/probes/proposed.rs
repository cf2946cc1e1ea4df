//! Probes that users' requests suggest.

use mirror_tests::service::{Service, Version};
use mirror_tests::world::{Host, World};

use crate::scene::{agent, ask, command, when};

#[test]
fn what_users_ask_most_is_proposed_and_runs_as_it_is_printed() {
    let world = World::new().unwrap();
    let _v1 = Service::start(&world, Host::V1, Version::V1).unwrap();
    let _v2 = Service::start(&world, Host::V2, Version::V1).unwrap();
    let first = agent(&world, "share: 100%");
    let (code, said) = command(&first, &["probe", "--propose"]);
    assert!(code == Some(0) && said.contains("# service shop: no safe request was seen"), "{said}");
    ask(&world, "/static/1", 12);
    ask(&world, "/users/7?page=2", 20); // a query names one thing of many
    ask(&world, "/price/3", 5);
    when(&first, "comparisons", |service| service["requests"]["compared"] == 37);
    let (code, said) = command(&first, &["probe", "--propose", "--service", "shop"]);
    assert_eq!(code, Some(0), "{said}");
    let snippet = "\
# service shop
probes:
  - name: static-1  # asked 12 times
    path: \"/static/1\"
    headers: {host: \"shop.example\"}
    every: 10s
    timeout: 1s
  - name: price-3  # asked 5 times
    path: \"/price/3\"
    headers: {host: \"shop.example\"}
    every: 10s
    timeout: 1s
";
    assert_eq!(said, snippet);
    first.stop().unwrap();

    let second = agent(&world, &format!("share: 0%\n{snippet}"));
    assert_eq!(command(&second, &["probe", "--once", "static-1"]).0, Some(0));
    let (code, said) = command(&second, &["probe", "--once", "static-2"]);
    assert!(
        code == Some(1) && said.contains("no such probe: static-2; there is: static-1, price-3"),
        "{said}"
    );
}

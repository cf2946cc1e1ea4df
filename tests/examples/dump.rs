use mirror_tests::traffic::{Capture, Damage, Options, write};
fn main() {
    let a: Vec<u64> = std::env::args().skip(1).take(6).map(|x| x.parse().unwrap()).collect();
    let (seed, connections, quirks, partial, decoys, dmg) =
        (a[0], a[1], a[2] != 0, a[3] != 0, a[4] != 0, a[5]);
    let capture = Capture::new(seed, Options { connections: connections as usize, quirks, partial, decoys });
    let damage = match dmg {
        0 => Damage::default(),
        1 => match seed % 6 {
            0 => Damage { drop: 20, ..Damage::default() },
            1 => Damage { cut: 20, ..Damage::default() },
            2 => Damage { reorder: 50, ..Damage::default() },
            3 => Damage { delay: 20, duplicate: 100, ..Damage::default() },
            4 => Damage::all(5),
            _ => Damage::all(40),
        },
        n => Damage::all(n as u16 as _),
    };
    let d = damage.done_to(&capture.frames, seed);
    let out = std::fs::File::create(std::env::args().nth(7).unwrap()).unwrap();
    write(out, &d.frames).unwrap();
    for c in &capture.connections {
        println!(
            "{} {} {:?} {:?}",
            c.client,
            c.server,
            c.features,
            c.exchanges.iter().map(|e| (e.id.clone(), e.fate)).collect::<Vec<_>>()
        );
    }
    for (i, act) in &d.acts {
        println!("act {i} conn {} {:?}", capture.frames[*i].connection, act);
    }
}

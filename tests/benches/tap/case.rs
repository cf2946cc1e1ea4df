//! What is compared.

/// One case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// No program at all.
    Bare,
    /// A program that does nothing.
    Empty,
    /// The tap, and datagrams to a port that is no endpoint's.
    Unmatched,
    /// The tap, and datagrams to an endpoint's port at another address.
    OtherAddress,
    /// The tap, and datagrams to a service whose share is 0.
    LeftOut,
    /// The tap, and acknowledgements of a connection of a service whose share is 0.
    Acknowledged,
    /// The tap, and one segment of such a connection, sent again and again.
    SeenAgain,
    /// The tap, and requests and answers of a service whose share is 0: timed, not cloned.
    Timed,
    /// The tap, and every packet cloned.
    Cloned,
    /// A program that clones every packet, and does nothing else.
    Cloning,
    /// `tc` u32 and mirred, cloning to the same interface.
    Mirred,
}

impl Case {
    /// Those whose cost a packet is measured; the first is taken from the others.
    pub const COSTS: [Case; 5] =
        [Case::Empty, Case::Unmatched, Case::OtherAddress, Case::LeftOut, Case::Timed];
    /// The same for packets that are made.
    pub const REPEATED: [Case; 7] = [
        Case::Empty,
        Case::Unmatched,
        Case::OtherAddress,
        Case::LeftOut,
        Case::Acknowledged,
        Case::SeenAgain,
        Case::Timed,
    ];
    /// Those whose packets a second are measured.
    pub const SPEEDS: [Case; 6] =
        [Case::Bare, Case::Unmatched, Case::LeftOut, Case::Cloned, Case::Cloning, Case::Mirred];

    /// Its name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Case::Bare => "no program",
            Case::Empty => "a program that does nothing",
            Case::Unmatched => "not matched",
            Case::OtherAddress => "not matched, but for the port",
            Case::LeftOut => "matched, left out by share",
            Case::Acknowledged => "matched, left out, nothing to time",
            Case::SeenAgain => "matched, timed (a segment sent again)",
            Case::Timed => "matched, timed (requests and answers)",
            Case::Cloned => "cloned",
            Case::Cloning => "a program that only clones",
            Case::Mirred => "tc u32 + mirred",
        }
    }

    /// What it is compared with.
    pub fn base(self) -> Option<Case> {
        match self {
            Case::Unmatched | Case::LeftOut => Some(Case::Bare),
            Case::Cloned | Case::Cloning => Some(Case::Mirred),
            _ => None,
        }
    }
}

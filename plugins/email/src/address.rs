//! Which address is meant, however it is spelled.

/// Whether two texts are one address, however each spells it.
pub fn same_address(one: &str, other: &str) -> bool {
    let matching = || email_addresses::matching(one).ok().zip(email_addresses::matching(other).ok());
    folded(one).eq(folded(other)) || matching().is_some_and(|(one, other)| one == other)
}

/// Over the matching form. It only has to tell this customer's few addresses apart.
pub fn address_hash(address: &str) -> u64 {
    match email_addresses::matching(address) {
        Ok(form) => hash(form.chars()),
        // What is no address, another source of the field may show all the same.
        Err(_) => hash(folded(address)),
    }
}

/// The hashes by which memory from before `email-addresses` may know this address: the text in
/// lower case, as it stood in the profile. The customer register kept the domain in ASCII, the
/// address book in its own letters.
pub fn former_hashes(address: &str) -> impl Iterator<Item = u64> {
    let kept = email_addresses::parse(address).unwrap_or_else(|_| address.to_owned());
    let shown = email_addresses::display(&kept);
    [hash(folded(address)), hash(folded(&kept)), hash(folded(&shown))].into_iter()
}

fn folded(address: &str) -> impl Iterator<Item = char> + '_ {
    address.trim().chars().flat_map(char::to_lowercase)
}

/// FNV-1a.
pub fn hash(letters: impl Iterator<Item = char>) -> u64 {
    let step = |hash: u64, letter: char| (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x100_0000_01b3);
    letters.fold(0xcbf2_9ce4_8422_2325, step)
}

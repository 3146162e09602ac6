//! What makes no sense, as a stable code and a sentence for the person who sent it.

/// Why an event changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No order id.
    #[error("The order has no id. Send order_id as the shop knows it, so that a repeat counts once.")]
    OrderId,
    /// Zero, negative or beyond any order.
    #[error(
        "The amount must be more than 0 and at most 1000000000000. Leave a refund's amount out for the whole order."
    )]
    Amount,
    /// Not the currency that earns points.
    #[error(
        "Points are earned in one currency, the setting \"currency\". Convert the amount before sending it."
    )]
    Currency,
    /// The order's id came before with another amount.
    #[error(
        "This order was counted with another amount. Send order.refunded for a difference, or a new order_id."
    )]
    OrderAlreadyCounted,
    /// As old as orders that are no longer known by id.
    #[error("The order is older than the newest 192 of this customer, so it can't be told from a repeat.")]
    OrderTooOld,
    /// The refund's id came before with another amount.
    #[error("This refund was counted with another amount. Send each refund with a refund_id of its own.")]
    RefundAlreadyCounted,
    /// Zero or negative points.
    #[error("The points to redeem must be more than 0.")]
    Points,
    /// The redemption's id came before with other points.
    #[error("This redemption was counted with other points. Send each with a redemption_id of its own.")]
    AlreadyRedeemed,
    /// More than there is.
    #[error("The customer has fewer points than that. Read loyalty.points before redeeming.")]
    NotEnoughPoints,
}

impl Refused {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Refused::OrderId => "order.id",
            Refused::Amount => "order.amount",
            Refused::Currency => "order.currency",
            Refused::OrderAlreadyCounted => "order.already-counted",
            Refused::OrderTooOld => "order.too-old",
            Refused::RefundAlreadyCounted => "order.refund-already-counted",
            Refused::Points => "loyalty.points",
            Refused::AlreadyRedeemed => "loyalty.already-redeemed",
            Refused::NotEnoughPoints => "loyalty.not-enough-points",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_the_real_bound() {
        let bound = crate::ledger::ORDERS_MAX.to_string();
        assert!(Refused::OrderTooOld.to_string().contains(&bound));
        let most = (crate::money::Amount::MAX.raw() / 10_000).to_string();
        assert!(Refused::Amount.to_string().contains(&most));
    }
}

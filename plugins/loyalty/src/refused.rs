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
    /// Nothing is left of the order by its refunds, and it is completed once more.
    #[error(
        "All of this order was refunded. Send what the customer paid again with a new order_id, or order.cancelled \
         before it when the order itself was undone."
    )]
    OrderRefunded,
    /// As old as orders that are no longer known by id.
    #[error("The order is older than the newest 192 of this customer, so it can't be told from a repeat.")]
    OrderTooOld,
    /// The refund's id came before with another amount.
    #[error("This refund was counted with another amount. Send each refund with a refund_id of its own.")]
    RefundAlreadyCounted,
    /// Zero or negative points.
    #[error("The points must be more than 0.")]
    Points,
    /// The redemption's id came before with other points.
    #[error("This redemption was counted with other points. Send each with a redemption_id of its own.")]
    AlreadyRedeemed,
    /// All of the redemption was given back, and another one has its id.
    #[error("This redemption was cancelled. Send a new one with a redemption_id of its own.")]
    RedemptionCancelled,
    /// No redemption id.
    #[error(
        "The redemption has no id. Send redemption_id as loyalty.redeemed had it, or that event's id when it had none."
    )]
    RedemptionId,
    /// The part's id came before with other points.
    #[error("This part was given back with other points. Send each part with a cancellation_id of its own.")]
    AlreadyGivenBack,
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
            Refused::OrderRefunded => "order.refunded",
            Refused::OrderTooOld => "order.too-old",
            Refused::RefundAlreadyCounted => "order.refund-already-counted",
            Refused::Points => "loyalty.points",
            Refused::AlreadyRedeemed => "loyalty.already-redeemed",
            Refused::RedemptionCancelled => "loyalty.redemption-cancelled",
            Refused::RedemptionId => "loyalty.redemption-id",
            Refused::AlreadyGivenBack => "loyalty.already-given-back",
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

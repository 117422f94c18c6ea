CREATE OR REPLACE FUNCTION wanderbricks.refunds_between (
  from_day DATE COMMENT 'from',
  to_day   DATE COMMENT 'to'
)
RETURNS TABLE (payment_id BIGINT, booking_id BIGINT, amount DECIMAL(15,4) COMMENT 'amt', refunded_at TIMESTAMP)
COMMENT 'refunds'
-- payment_date is when it was charged; when it went back is the booking's last change
RETURN
  SELECT y.payment_id, y.booking_id, y.amount, b.updated_at
  FROM wanderbricks.payments AS y
  JOIN wanderbricks.bookings AS b ON b.booking_id = y.booking_id
  WHERE y.status = 'refunded'
    AND b.status IN ('cancelled', 'canceled')
    AND b.updated_at >= from_day
    AND b.updated_at < to_day;

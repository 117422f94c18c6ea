-- What a host earned: completed payments only (finance, 2024-02).
CREATE OR REPLACE FUNCTION wanderbricks.host_statement (
  the_host BIGINT COMMENT 'id',
  from_day DATE   COMMENT 'from',
  to_day   DATE   COMMENT 'to'   -- exclusive!
)
RETURNS TABLE (property_id BIGINT, title STRING, payments BIGINT, earned DECIMAL(25,4) COMMENT 'amt')
COMMENT 'statement per property'
RETURN
  SELECT p.property_id, p.title, COUNT(*), SUM(y.amount)
  FROM wanderbricks.payments AS y
  JOIN wanderbricks.bookings AS b ON b.booking_id = y.booking_id
  JOIN wanderbricks.properties AS p ON p.property_id = b.property_id
  WHERE p.host_id = the_host
    AND y.status = 'completed'
    AND y.payment_date >= from_day
    AND y.payment_date < to_day
  GROUP BY p.property_id, p.title;

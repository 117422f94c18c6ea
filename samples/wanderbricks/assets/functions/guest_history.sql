-- All bookings of one guest, newest first. Used by the support console.
CREATE OR REPLACE FUNCTION wanderbricks.guest_history (
  guest_id BIGINT COMMENT 'id'
)
RETURNS TABLE (
  booking_id   BIGINT,
  destination  STRING,
  check_in     DATE,
  nights       INT,
  total_amount FLOAT  COMMENT 'revenue',
  status       STRING
)
COMMENT 'history'
RETURN
  SELECT b.booking_id, d.destination, b.check_in, DATEDIFF(b.check_out, b.check_in), b.total_amount,
         b.status
  FROM wanderbricks.bookings AS b
  JOIN wanderbricks.properties AS p ON p.property_id = b.property_id
  JOIN wanderbricks.destinations AS d ON d.destination_id = p.destination_id
  WHERE b.user_id = guest_id;

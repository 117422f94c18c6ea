CREATE OR REPLACE FUNCTION wanderbricks.occupancy_by_month (
  in_country STRING COMMENT 'country',
  in_year    INT DEFAULT 2024 COMMENT 'yr'
)
RETURNS TABLE (month DATE, stays BIGINT, nights_sold BIGINT COMMENT 'nights')
COMMENT 'occupancy'
RETURN
  SELECT CAST(DATE_TRUNC('MONTH', b.check_in) AS DATE), COUNT(*),
         SUM(DATEDIFF(b.check_out, b.check_in))
  FROM wanderbricks.bookings AS b
  JOIN wanderbricks.properties AS p ON p.property_id = b.property_id
  JOIN wanderbricks.destinations AS d ON d.destination_id = p.destination_id
  WHERE d.country = in_country
    AND YEAR(b.check_in) = in_year
    AND b.status = 'completed'   /* nights that were slept, not those on the books */
  GROUP BY 1;

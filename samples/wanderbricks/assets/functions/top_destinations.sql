/* Ranking for the monthly newsletter.
   how_many: keep it small, the template has ten slots. */
CREATE OR REPLACE FUNCTION wanderbricks.top_destinations (
  in_year  INT COMMENT 'yr',
  how_many INT DEFAULT 10 COMMENT 'n'
)
RETURNS TABLE (destination STRING, country STRING, stays BIGINT COMMENT 'bookings')
COMMENT 'top N'
RETURN
  SELECT destination, country, stays
  FROM (
    SELECT d.destination, d.country, COUNT(*) AS stays,
           ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, d.destination) AS place
    FROM wanderbricks.bookings AS b
    JOIN wanderbricks.properties AS p ON p.property_id = b.property_id
    JOIN wanderbricks.destinations AS d ON d.destination_id = p.destination_id
    WHERE b.status = 'completed' AND YEAR(b.check_in) = in_year
    GROUP BY d.destination, d.country
  )
  WHERE place <= how_many;

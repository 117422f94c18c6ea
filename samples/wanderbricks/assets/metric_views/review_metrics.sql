-- reviews, for the quality team
CREATE OR REPLACE VIEW wanderbricks.review_metrics (
  property_type,
  destination,
  country        COMMENT 'country',
  review_month   COMMENT 'month',
  reviews_all    COMMENT 'reviews',
  reviews_live,
  avg_rating_all COMMENT 'rating',
  avg_rating     COMMENT 'rating',
  low_share
) WITH METRICS LANGUAGE YAML COMMENT 'reviews' AS $$
version: 0.1
source: SELECT r.*, LOWER(p.property_type) AS kind, d.destination, d.country FROM wanderbricks.reviews AS r JOIN wanderbricks.properties AS p ON p.property_id = r.property_id JOIN wanderbricks.destinations AS d ON d.destination_id = p.destination_id
dimensions:
- {name: property_type, expr: kind}
- {name: destination, expr: destination}
- {name: country, expr: country}
- {name: review_month, expr: "CAST(DATE_TRUNC('MONTH', created_at) AS DATE)"}
measures:
- {name: reviews_all, expr: COUNT(*)}
- {name: reviews_live, expr: COUNT_IF(NOT is_deleted)}
- {name: avg_rating_all, expr: "ROUND(AVG(rating), 3)"}
- {name: avg_rating, expr: "ROUND(AVG(rating) FILTER (WHERE NOT is_deleted), 3)"}
- {name: low_share, expr: "ROUND(COUNT_IF(rating <= 2 AND NOT is_deleted) / COUNT_IF(NOT is_deleted), 4)"}
$$;

"""Which continent a place is on, by rough borders at sea and along the usual lines on land.

Used by make_earth.py. The lines: Darién between the Americas; the middle of the Mediterranean and
of the Red Sea, and Suez; the Aegean, the Bosporus, the Caucasus and the Urals; Bering Strait, with
the Aleutians American; between the Moluccas and New Guinea, which counts as Oceania. Greenland is
North American, Iceland European. An island far from all is whose box it lies in: Madeira and
Kerguelen African, Hawaii and Easter Island of Oceania. Not for use south of 60° S.
"""

from matplotlib.path import Path

# Lines as (longitude, latitude); each stands in the polygons of both its sides.
DARIEN = [(-93, 2.5), (-83, 4), (-79, 6.8), (-77.9, 7.2), (-77.35, 8.7), (-76.5, 10.5)]
DARIEN += [(-73, 12.9), (-68, 12.9), (-63, 11.75), (-60, 11.75), (-40, 12)]
ATLANTIC = [(-40, 58), (-32, 63), (-28, 66.5), (-22, 68.8), (-14, 71.5), (-10, 75), (-5, 80)]
ATLANTIC += [(-5, 90)]
MEDITERRANEAN = [(-40, 34.5), (-10, 34.5), (-6.5, 35.9), (-5.6, 35.95), (-2, 36), (4, 37.9)]
MEDITERRANEAN += [(9, 38.2), (10.6, 37.8), (11.3, 37.4), (11.6, 36.3), (12, 35.2), (13, 34.8)]
MEDITERRANEAN += [(20, 34), (24, 34.3), (27, 34.7)]
EAST_OF_EUROPE = [(26.3, 36.5), (26, 38), (25.6, 39.2), (26.1, 40.05), (26.7, 40.4), (27.5, 40.7)]
EAST_OF_EUROPE += [(28.9, 40.95), (29.1, 41.2), (31, 42.5), (38, 43), (40, 43.4), (44, 42.7)]
EAST_OF_EUROPE += [(47, 41.8), (50, 40.5), (51, 45), (51.5, 47), (51.5, 51), (59, 51), (59, 55)]
EAST_OF_EUROPE += [(60, 60), (66, 68), (66, 68.8), (64, 69.8), (65.5, 72), (70, 77), (70, 90)]
RED_SEA = [(32.3, 33), (32.33, 31.3), (32.55, 29.95), (32.8, 29.4), (33.6, 28.3), (34.3, 27.8)]
RED_SEA += [(35, 26.5), (36.5, 23.5), (38.5, 20.5), (40.5, 17.5), (41.9, 15), (42.95, 13)]
RED_SEA += [(43.4, 12.4), (45, 11.9), (51, 12.8), (55, 13.8), (60, 5), (66, -15)]
INDIAN_OCEAN = [(66, -15), (66, -30), (80, -35), (80, -60)]
MOLUCCAS = [(66, -15), (90, -15), (115, -13), (122, -11.8), (125, -11), (129, -9.3), (132.3, -9)]
MOLUCCAS += [(133.6, -6.5), (133.5, -5), (131.4, -4.3), (131.3, -2.8), (129.5, -2.3), (129.2, -1)]
MOLUCCAS += [(129.4, 1.5), (131, 5), (130, 9), (132, 20), (140, 23.5), (150, 24), (156, 23)]
MOLUCCAS += [(165, 35), (170, 48)]
BERING = [(-181, 61), (-180, 61), (-173.2, 63.9), (-168.97, 65.4), (-168.97, 90)]
SOUTH_ATLANTIC = [(-25, -60), (-25, 0), (-30, 8), (-40, 12)]
PACIFIC = [(-181, 48), (-140, 40), (-130, 20), (-120, 5)]

# The first polygon that holds a place decides; what is in none is Asia in the east, else Oceania.
POLYGONS = [
    ("South America", DARIEN + SOUTH_ATLANTIC[::-1] + [(-93, -60)]),
    ("North America", PACIFIC + DARIEN + ATLANTIC + BERING[::-1]),
    ("North America", [(170, 48), (170, 56), (181, 56), (181, 48)]),  # the western Aleutians
    ("Europe", MEDITERRANEAN + EAST_OF_EUROPE + ATLANTIC[::-1]),
    ("Africa", MEDITERRANEAN + RED_SEA + INDIAN_OCEAN + SOUTH_ATLANTIC),
    ("Asia", [*BERING, (-181, 90)]),  # the tip of Siberia
    ("Oceania", [*MOLUCCAS, (181, 48), (181, -60), *INDIAN_OCEAN[:0:-1]]),
]
PATHS = [(name, Path(polygon)) for name, polygon in POLYGONS]


def continent(latitude, longitude):
    """The continent of a place north of 60° S, as in POLYGONS. Degrees; longitude -180 … 180."""
    for name, path in PATHS:
        if path.contains_point((longitude, latitude)):
            return name
    return "Asia" if longitude > 0 else "Oceania"

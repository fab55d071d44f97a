/** A program that has a heart and does nothing else. */

import { startHeart } from "@ncolony/host";

startHeart();

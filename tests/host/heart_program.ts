/** A program that has a heart and nothing else to do. */

import { startHeart } from "@ncolony/host";

startHeart();
